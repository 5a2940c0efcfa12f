-- AlterTable
ALTER TABLE "contribution" ADD COLUMN     "lease_end_epoch" INTEGER;

-- What a replay of the events gives, for the rows that are there.
UPDATE "contribution" SET "lease_end_epoch" = least(
  ("manifest_blob"->>'endEpoch')::bigint,
  (SELECT min((part->>'endEpoch')::bigint) FROM jsonb_array_elements("parts") AS part),
  2147483647
);
ALTER TABLE "contribution" ALTER COLUMN "lease_end_epoch" SET NOT NULL;

-- CreateTable
CREATE TABLE "store_epoch" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "epoch" INTEGER NOT NULL,
    "read_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "store_epoch_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "lease_sighting" (
    "contribution_id" TEXT NOT NULL,
    "end_epoch" INTEGER NOT NULL,
    "seen_epoch" INTEGER NOT NULL,

    CONSTRAINT "lease_sighting_pkey" PRIMARY KEY ("contribution_id","end_epoch")
);

-- CreateTable
CREATE TABLE "lease_warning" (
    "contribution_id" TEXT NOT NULL,
    "end_epoch" INTEGER NOT NULL,
    "level" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "ordinal" SERIAL NOT NULL,
    "warned_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "lease_warning_pkey" PRIMARY KEY ("contribution_id","end_epoch","level")
);

-- CreateTable
CREATE TABLE "lease_renewal" (
    "id" UUID NOT NULL,
    "contribution_id" TEXT NOT NULL,
    "dao_id" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "from_epoch" INTEGER NOT NULL,
    "to_epoch" INTEGER NOT NULL,
    "attempt" INTEGER NOT NULL,
    "blobs" JSONB NOT NULL,
    "confirmed" JSONB NOT NULL,
    "state" TEXT NOT NULL,
    "charge_units" DECIMAL(20,0) NOT NULL,
    "prepared" JSONB,
    "refusal" TEXT,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "claimed_until" TIMESTAMPTZ(3) NOT NULL,
    "planned_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "lease_renewal_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "renewal_refusal" (
    "contribution_id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "renewal_refusal_pkey" PRIMARY KEY ("contribution_id")
);

-- CreateTable
CREATE TABLE "blob_sample" (
    "contribution_id" TEXT NOT NULL,
    "blob" TEXT NOT NULL,
    "aggregator" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "sampled_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "blob_sample_pkey" PRIMARY KEY ("contribution_id","blob","aggregator")
);

-- CreateTable
CREATE TABLE "lost_contribution" (
    "contribution_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "blob" TEXT NOT NULL,
    "times" INTEGER NOT NULL,
    "counted_at" TIMESTAMPTZ(3) NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "lost_contribution_pkey" PRIMARY KEY ("contribution_id")
);

-- CreateTable
CREATE TABLE "storage_entry" (
    "entry_id" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "dao_id" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "counter_account" TEXT NOT NULL,
    "delta_units" DECIMAL(21,0) NOT NULL,
    "contribution_id" TEXT,
    "owner" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "storage_entry_pkey" PRIMARY KEY ("entry_id","line")
);

-- CreateTable
CREATE TABLE "notice_contact" (
    "address" TEXT NOT NULL,
    "webhook_url" TEXT,
    "webhook_version" INTEGER NOT NULL DEFAULT 0,
    "email" TEXT,
    "email_confirmed_at" TIMESTAMPTZ(3),
    "email_asked_at" TIMESTAMPTZ(3),

    CONSTRAINT "notice_contact_pkey" PRIMARY KEY ("address")
);

-- CreateTable
CREATE TABLE "notice" (
    "id" UUID NOT NULL,
    "address" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "body" JSONB NOT NULL,
    "dedupe_key" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "notice_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "lease_warning_ordinal_key" ON "lease_warning"("ordinal");

-- CreateIndex
CREATE INDEX "lease_warning_owner_ordinal_idx" ON "lease_warning"("owner", "ordinal");

-- CreateIndex
CREATE INDEX "lease_renewal_state_idx" ON "lease_renewal"("state");

-- CreateIndex
CREATE INDEX "lease_renewal_dao_id_state_idx" ON "lease_renewal"("dao_id", "state");

-- CreateIndex
CREATE UNIQUE INDEX "lease_renewal_contribution_id_kind_from_epoch_attempt_key" ON "lease_renewal"("contribution_id", "kind", "from_epoch", "attempt");

-- CreateIndex
CREATE INDEX "lost_contribution_state_idx" ON "lost_contribution"("state");

-- CreateIndex
CREATE INDEX "storage_entry_dao_id_account_idx" ON "storage_entry"("dao_id", "account");

-- CreateIndex
CREATE INDEX "storage_entry_owner_idx" ON "storage_entry"("owner");

-- CreateIndex
CREATE UNIQUE INDEX "notice_dedupe_key_key" ON "notice"("dedupe_key");

-- CreateIndex
CREATE INDEX "notice_state_idx" ON "notice"("state");

-- CreateIndex
CREATE INDEX "notice_address_idx" ON "notice"("address");

-- CreateIndex
CREATE INDEX "contribution_lease_end_epoch_event_seq_idx" ON "contribution"("lease_end_epoch", "event_seq");
