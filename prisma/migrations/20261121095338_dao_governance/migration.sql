-- New columns and tables come from events that are already there, so the projection is emptied, and the API replays it
-- from the first event when it starts. Nothing here is lost: no other table is touched.
TRUNCATE TABLE "projection_cursor", "holder_set", "dao", "dataset", "contribution", "consent_grant", "runner",
  "chain_job", "receipt", "receipt_use", "payout", "ledger_entry", "account_balance";

-- AlterTable
ALTER TABLE "chain_job" ADD COLUMN     "payout_mode" TEXT NOT NULL;

-- AlterTable
ALTER TABLE "contribution" ADD COLUMN     "tombstoned_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "dao" DROP COLUMN "members",
ADD COLUMN     "governance" JSONB NOT NULL,
ADD COLUMN     "paused" BOOLEAN NOT NULL,
ADD COLUMN     "payout_rules" JSONB NOT NULL,
ADD COLUMN     "proposal_count" INTEGER NOT NULL;

-- AlterTable
ALTER TABLE "dataset" ADD COLUMN     "tombstoned_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "holder_set" DROP COLUMN "members",
DROP COLUMN "threshold";

-- AlterTable
ALTER TABLE "ledger_entry" ADD COLUMN     "epoch_id" TEXT;

-- AlterTable
ALTER TABLE "receipt" ADD COLUMN     "number" DECIMAL(20,0),
ADD COLUMN     "pooled_units" DECIMAL(20,0);

-- AlterTable
ALTER TABLE "runner" ADD COLUMN     "withdrawn_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "holder_set_version" (
    "holder_set_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "members" JSONB NOT NULL,
    "threshold" INTEGER NOT NULL,
    "transaction" TEXT NOT NULL,
    "made_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "holder_set_version_pkey" PRIMARY KEY ("holder_set_id","version")
);

-- CreateTable
CREATE TABLE "holder_tombstone" (
    "holder_set_id" TEXT NOT NULL,
    "signing_public_key" TEXT NOT NULL,
    "tombstoned_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "holder_tombstone_pkey" PRIMARY KEY ("holder_set_id","signing_public_key")
);

-- CreateTable
CREATE TABLE "policy_version" (
    "dao_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "policy" JSONB NOT NULL,
    "policy_digest" TEXT NOT NULL,
    "set_by" TEXT NOT NULL,
    "transaction" TEXT NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "policy_version_pkey" PRIMARY KEY ("dao_id","version")
);

-- CreateTable
CREATE TABLE "measurement" (
    "dao_id" TEXT NOT NULL,
    "measurement" TEXT NOT NULL,
    "approved_version" INTEGER NOT NULL,
    "approved_at" TIMESTAMPTZ(3) NOT NULL,
    "withdrawn_version" INTEGER,
    "withdrawn_at" TIMESTAMPTZ(3),

    CONSTRAINT "measurement_pkey" PRIMARY KEY ("dao_id","measurement")
);

-- CreateTable
CREATE TABLE "member" (
    "dao_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "roles" INTEGER NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "earned_units" DECIMAL(20,0) NOT NULL,
    "joined_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "member_pkey" PRIMARY KEY ("dao_id","address")
);

-- CreateTable
CREATE TABLE "application" (
    "event_seq" INTEGER NOT NULL,
    "dao_id" TEXT NOT NULL,
    "applicant" TEXT NOT NULL,
    "statement_hash" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "applied_at" TIMESTAMPTZ(3) NOT NULL,
    "decided_at" TIMESTAMPTZ(3),

    CONSTRAINT "application_pkey" PRIMARY KEY ("event_seq")
);

-- CreateTable
CREATE TABLE "proposal" (
    "id" TEXT NOT NULL,
    "dao_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "proposer" TEXT NOT NULL,
    "effect" JSONB NOT NULL,
    "description_hash" TEXT NOT NULL,
    "voting" TEXT NOT NULL,
    "quorum_bps" INTEGER NOT NULL,
    "approval_bps" INTEGER NOT NULL,
    "member_count" INTEGER NOT NULL,
    "total_votes" DECIMAL(20,0) NOT NULL,
    "yes_votes" DECIMAL(20,0) NOT NULL,
    "no_votes" DECIMAL(20,0) NOT NULL,
    "abstain_votes" DECIMAL(20,0) NOT NULL,
    "passed" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "voting_ends_at" TIMESTAMPTZ(3) NOT NULL,
    "executable_from" TIMESTAMPTZ(3) NOT NULL,
    "executable_until" TIMESTAMPTZ(3) NOT NULL,
    "executed_at" TIMESTAMPTZ(3),
    "executed_in" TEXT,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "proposal_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vote" (
    "proposal_id" TEXT NOT NULL,
    "voter" TEXT NOT NULL,
    "choice" TEXT NOT NULL,
    "votes" DECIMAL(20,0) NOT NULL,
    "transaction" TEXT NOT NULL,
    "cast_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "vote_pkey" PRIMARY KEY ("proposal_id","voter")
);

-- CreateTable
CREATE TABLE "dao_event" (
    "event_seq" INTEGER NOT NULL,
    "dao_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "subject" TEXT,
    "sender" TEXT NOT NULL,
    "transaction" TEXT NOT NULL,
    "data" JSONB,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "dao_event_pkey" PRIMARY KEY ("event_seq")
);

-- CreateTable
CREATE TABLE "signer" (
    "dao_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "signer_kind" TEXT NOT NULL,
    "public_keys" TEXT[],
    "pay_to" TEXT NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL,
    "withdrawn_at" TIMESTAMPTZ(3),
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "signer_pkey" PRIMARY KEY ("dao_id","id")
);

-- CreateTable
CREATE TABLE "licence_offer" (
    "id" TEXT NOT NULL,
    "dao_id" TEXT NOT NULL,
    "dataset_id" TEXT NOT NULL,
    "terms" JSONB NOT NULL,
    "offered_at" TIMESTAMPTZ(3) NOT NULL,
    "withdrawn_at" TIMESTAMPTZ(3),
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "licence_offer_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "licence" (
    "id" TEXT NOT NULL,
    "offer_id" TEXT NOT NULL,
    "dao_id" TEXT NOT NULL,
    "licensee" TEXT NOT NULL,
    "terms" JSONB NOT NULL,
    "transaction" TEXT NOT NULL,
    "bought_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "licence_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "receipt_pool" (
    "dao_id" TEXT NOT NULL,
    "receipt_count" DECIMAL(20,0) NOT NULL,
    "pooled_units" DECIMAL(20,0) NOT NULL,
    "receipt_chain" TEXT NOT NULL,
    "covered_receipts" DECIMAL(20,0) NOT NULL,
    "epoch_count" DECIMAL(20,0) NOT NULL,

    CONSTRAINT "receipt_pool_pkey" PRIMARY KEY ("dao_id")
);

-- CreateTable
CREATE TABLE "epoch" (
    "id" TEXT NOT NULL,
    "dao_id" TEXT NOT NULL,
    "number" DECIMAL(20,0) NOT NULL,
    "attempt" BIGINT NOT NULL,
    "settler" TEXT NOT NULL,
    "from_receipt" DECIMAL(20,0) NOT NULL,
    "to_receipt" DECIMAL(20,0) NOT NULL,
    "total_units" DECIMAL(20,0) NOT NULL,
    "root" TEXT NOT NULL,
    "leaf_count" BIGINT NOT NULL,
    "claimed_units" DECIMAL(20,0) NOT NULL,
    "state" TEXT NOT NULL,
    "objections" INTEGER[],
    "proposed_at" TIMESTAMPTZ(3) NOT NULL,
    "challenge_ends_at" TIMESTAMPTZ(3) NOT NULL,
    "claim_term_ms" BIGINT NOT NULL,
    "unclaimed_to" TEXT NOT NULL,
    "closed_at" TIMESTAMPTZ(3),
    "swept_units" DECIMAL(20,0),
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "epoch_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "epoch_claim" (
    "epoch_id" TEXT NOT NULL,
    "index" BIGINT NOT NULL,
    "account" TEXT NOT NULL,
    "amount_units" DECIMAL(20,0) NOT NULL,
    "transaction" TEXT NOT NULL,
    "claimed_at" TIMESTAMPTZ(3) NOT NULL,
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "epoch_claim_pkey" PRIMARY KEY ("epoch_id","index")
);

-- CreateIndex
CREATE UNIQUE INDEX "holder_set_version_event_seq_key" ON "holder_set_version"("event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "holder_tombstone_event_seq_key" ON "holder_tombstone"("event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "policy_version_event_seq_key" ON "policy_version"("event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "member_event_seq_key" ON "member"("event_seq");

-- CreateIndex
CREATE INDEX "member_address_event_seq_idx" ON "member"("address", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "member_dao_id_ordinal_key" ON "member"("dao_id", "ordinal");

-- CreateIndex
CREATE INDEX "application_dao_id_event_seq_idx" ON "application"("dao_id", "event_seq");

-- CreateIndex
CREATE INDEX "application_dao_id_applicant_idx" ON "application"("dao_id", "applicant");

-- CreateIndex
CREATE UNIQUE INDEX "proposal_event_seq_key" ON "proposal"("event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "proposal_dao_id_number_key" ON "proposal"("dao_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "vote_event_seq_key" ON "vote"("event_seq");

-- CreateIndex
CREATE INDEX "vote_proposal_id_event_seq_idx" ON "vote"("proposal_id", "event_seq");

-- CreateIndex
CREATE INDEX "dao_event_dao_id_event_seq_idx" ON "dao_event"("dao_id", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "signer_event_seq_key" ON "signer"("event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "licence_offer_event_seq_key" ON "licence_offer"("event_seq");

-- CreateIndex
CREATE INDEX "licence_offer_dao_id_event_seq_idx" ON "licence_offer"("dao_id", "event_seq");

-- CreateIndex
CREATE INDEX "licence_offer_dataset_id_event_seq_idx" ON "licence_offer"("dataset_id", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "licence_event_seq_key" ON "licence"("event_seq");

-- CreateIndex
CREATE INDEX "licence_dao_id_event_seq_idx" ON "licence"("dao_id", "event_seq");

-- CreateIndex
CREATE INDEX "licence_licensee_event_seq_idx" ON "licence"("licensee", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "epoch_event_seq_key" ON "epoch"("event_seq");

-- CreateIndex
CREATE INDEX "epoch_dao_id_event_seq_idx" ON "epoch"("dao_id", "event_seq");

-- CreateIndex
CREATE UNIQUE INDEX "epoch_claim_event_seq_key" ON "epoch_claim"("event_seq");

-- CreateIndex
CREATE INDEX "epoch_claim_epoch_id_event_seq_idx" ON "epoch_claim"("epoch_id", "event_seq");

-- CreateIndex
CREATE INDEX "epoch_claim_account_event_seq_idx" ON "epoch_claim"("account", "event_seq");
