-- CreateTable
CREATE TABLE "statement" (
    "dao_id" TEXT NOT NULL,
    "applicant" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "statement" TEXT NOT NULL,
    "told_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "statement_pkey" PRIMARY KEY ("dao_id","applicant","digest")
);
