-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "projection_cursor" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "chain_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,

    CONSTRAINT "projection_cursor_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "holder_set" (
    "id" TEXT NOT NULL,
    "members" JSONB NOT NULL,
    "threshold" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "holder_set_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dao" (
    "id" TEXT NOT NULL,
    "founder" TEXT NOT NULL,
    "treasury" TEXT NOT NULL,
    "members" TEXT[],
    "metadata_hash" TEXT NOT NULL,
    "policy_version" INTEGER NOT NULL,
    "policy" JSONB NOT NULL,
    "policy_digest" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "dao_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dataset" (
    "id" TEXT NOT NULL,
    "dao_id" TEXT NOT NULL,
    "metadata_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "dataset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "contribution" (
    "id" TEXT NOT NULL,
    "dataset_id" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "manifest_digest" TEXT NOT NULL,
    "manifest_blob" JSONB NOT NULL,
    "parts" JSONB NOT NULL,
    "holder_set_id" TEXT NOT NULL,
    "policy_digest" TEXT NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL,
    "decided_at" TIMESTAMPTZ(3),
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "contribution_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "consent_grant" (
    "id" TEXT NOT NULL,
    "contribution_id" TEXT NOT NULL,
    "grantor" TEXT NOT NULL,
    "purposes" TEXT[],
    "kinds" TEXT[],
    "protections" TEXT[],
    "price_floor_units" DECIMAL(20,0) NOT NULL,
    "budget_micro_epsilon" DECIMAL(20,0) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "given_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "consent_grant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "runner" (
    "dao_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "profile" TEXT NOT NULL,
    "measurement" TEXT NOT NULL,
    "signing_public_key" TEXT NOT NULL,
    "hpke_public_key" TEXT NOT NULL,
    "appraisal_policy_digest" TEXT NOT NULL,
    "pay_to" TEXT NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "runner_pkey" PRIMARY KEY ("dao_id","id")
);

-- CreateTable
CREATE TABLE "chain_job" (
    "id" TEXT NOT NULL,
    "dao_id" TEXT NOT NULL,
    "dataset_id" TEXT NOT NULL,
    "requester" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "protection" TEXT NOT NULL,
    "policy_version" INTEGER NOT NULL,
    "price_per_question_units" DECIMAL(20,0) NOT NULL,
    "max_questions" INTEGER NOT NULL,
    "questions_settled" INTEGER NOT NULL,
    "escrow_units" DECIMAL(20,0) NOT NULL,
    "refund_units" DECIMAL(20,0),
    "client_public_key" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "funded_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "chain_job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "receipt" (
    "job_id" TEXT NOT NULL,
    "question_id" TEXT NOT NULL,
    "receipt_digest" TEXT NOT NULL,
    "price_units" DECIMAL(20,0) NOT NULL,
    "transaction" TEXT NOT NULL,
    "settled_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "receipt_pkey" PRIMARY KEY ("job_id","question_id")
);

-- CreateTable
CREATE TABLE "receipt_use" (
    "job_id" TEXT NOT NULL,
    "question_id" TEXT NOT NULL,
    "contribution_id" TEXT NOT NULL,
    "grant_id" TEXT NOT NULL,
    "weight" DECIMAL(20,0) NOT NULL,
    "amount_units" DECIMAL(20,0) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "receipt_use_pkey" PRIMARY KEY ("job_id","question_id","contribution_id")
);

-- CreateTable
CREATE TABLE "payout" (
    "event_seq" INTEGER NOT NULL,
    "line" INTEGER NOT NULL,
    "job_id" TEXT NOT NULL,
    "question_id" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "contribution_id" TEXT,
    "amount_units" DECIMAL(20,0) NOT NULL,

    CONSTRAINT "payout_pkey" PRIMARY KEY ("event_seq","line")
);

-- CreateTable
CREATE TABLE "ledger_entry" (
    "event_seq" INTEGER NOT NULL,
    "line" INTEGER NOT NULL,
    "account" TEXT NOT NULL,
    "counter_account" TEXT NOT NULL,
    "delta_units" DECIMAL(21,0) NOT NULL,
    "reason" TEXT NOT NULL,
    "job_id" TEXT,
    "question_id" TEXT,
    "contribution_id" TEXT,
    "transaction" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ledger_entry_pkey" PRIMARY KEY ("event_seq","line")
);

-- CreateTable
CREATE TABLE "account_balance" (
    "account" TEXT NOT NULL,
    "balance_units" DECIMAL(38,0) NOT NULL,

    CONSTRAINT "account_balance_pkey" PRIMARY KEY ("account")
);

-- CreateTable
CREATE TABLE "description" (
    "digest" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "described_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "description_pkey" PRIMARY KEY ("digest")
);

-- CreateTable
CREATE TABLE "job_progress" (
    "job_id" TEXT NOT NULL,
    "ordinal" SERIAL NOT NULL,
    "requester" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "last_event_seq" INTEGER NOT NULL DEFAULT 0,
    "quote" JSONB,
    "runner_url" TEXT,
    "runner_id" TEXT,
    "documents" INTEGER,
    "chunks" INTEGER,
    "left_out" JSONB NOT NULL DEFAULT '[]',
    "error" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "job_progress_pkey" PRIMARY KEY ("job_id")
);

-- CreateTable
CREATE TABLE "job_event" (
    "job_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "state" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "question_id" TEXT,
    "error" JSONB,
    "details" JSONB NOT NULL DEFAULT '{}',
    "dedupe_key" TEXT NOT NULL,

    CONSTRAINT "job_event_pkey" PRIMARY KEY ("job_id","seq")
);

-- CreateTable
CREATE TABLE "question" (
    "job_id" TEXT NOT NULL,
    "question_id" TEXT NOT NULL,
    "ordinal" SERIAL NOT NULL,
    "requester" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "sealed_question" TEXT NOT NULL,
    "authorization" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "sealed_answer" TEXT,
    "receipt" TEXT,
    "signature" TEXT,
    "settlement_transaction" TEXT,
    "error" JSONB,
    "asked_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "question_pkey" PRIMARY KEY ("job_id","question_id")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "owner" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("owner","key")
);

-- CreateTable
CREATE TABLE "answered_challenge" (
    "nonce" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "answered_challenge_pkey" PRIMARY KEY ("nonce")
);

-- CreateTable
CREATE TABLE "session" (
    "id" UUID NOT NULL,
    "address" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refresh_token" (
    "hash" TEXT NOT NULL,
    "session_id" UUID NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "refresh_token_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "address" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "holder_set_event_seq_key" ON "holder_set"("event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "dao_event_seq_key" ON "dao"("event_seq");

-- CreateIndex
CREATE INDEX "dao_founder_idx" ON "dao"("founder");

-- CreateIndex
CREATE INDEX "dao_treasury_idx" ON "dao"("treasury");

-- CreateIndex
CREATE UNIQUE INDEX "dataset_event_seq_key" ON "dataset"("event_seq");

-- CreateIndex
CREATE INDEX "dataset_dao_id_event_seq_idx" ON "dataset"("dao_id", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "contribution_event_seq_key" ON "contribution"("event_seq");

-- CreateIndex
CREATE INDEX "contribution_dataset_id_event_seq_idx" ON "contribution"("dataset_id", "event_seq");

-- CreateIndex
CREATE INDEX "contribution_owner_event_seq_idx" ON "contribution"("owner", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "consent_grant_event_seq_key" ON "consent_grant"("event_seq");

-- CreateIndex
CREATE INDEX "consent_grant_contribution_id_event_seq_idx" ON "consent_grant"("contribution_id", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "runner_event_seq_key" ON "runner"("event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "chain_job_event_seq_key" ON "chain_job"("event_seq");

-- CreateIndex
CREATE INDEX "chain_job_requester_idx" ON "chain_job"("requester");

-- CreateIndex
CREATE UNIQUE INDEX "receipt_receipt_digest_key" ON "receipt"("receipt_digest");

-- CreateIndex
CREATE UNIQUE INDEX "receipt_event_seq_key" ON "receipt"("event_seq");

-- CreateIndex
CREATE INDEX "receipt_job_id_event_seq_idx" ON "receipt"("job_id", "event_seq");

-- CreateIndex
CREATE INDEX "receipt_use_contribution_id_event_seq_idx" ON "receipt_use"("contribution_id", "event_seq");

-- CreateIndex
CREATE INDEX "payout_job_id_question_id_idx" ON "payout"("job_id", "question_id");

-- CreateIndex
CREATE INDEX "ledger_entry_account_event_seq_line_idx" ON "ledger_entry"("account", "event_seq", "line");

-- CreateIndex
CREATE UNIQUE INDEX "job_progress_ordinal_key" ON "job_progress"("ordinal");

-- CreateIndex
CREATE INDEX "job_progress_requester_ordinal_idx" ON "job_progress"("requester", "ordinal");

-- CreateIndex
CREATE UNIQUE INDEX "job_event_job_id_dedupe_key_key" ON "job_event"("job_id", "dedupe_key");

-- CreateIndex
CREATE UNIQUE INDEX "question_ordinal_key" ON "question"("ordinal");

-- CreateIndex
CREATE INDEX "question_job_id_ordinal_idx" ON "question"("job_id", "ordinal");

-- CreateIndex
CREATE INDEX "question_state_idx" ON "question"("state");

-- CreateIndex
CREATE INDEX "answered_challenge_expires_at_idx" ON "answered_challenge"("expires_at");

-- CreateIndex
CREATE INDEX "session_expires_at_idx" ON "session"("expires_at");

-- CreateIndex
CREATE INDEX "refresh_token_session_id_idx" ON "refresh_token"("session_id");

-- CreateIndex
CREATE INDEX "api_key_address_idx" ON "api_key"("address");
