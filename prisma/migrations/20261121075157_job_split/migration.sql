-- The split is a part of the chain's word about a job, so it comes from the events: the projection is emptied, and the
-- API replays it from the first event when it starts. Nothing here is lost: no other table is touched.
TRUNCATE TABLE "projection_cursor", "holder_set", "dao", "dataset", "contribution", "consent_grant", "runner",
  "chain_job", "receipt", "receipt_use", "payout", "ledger_entry", "account_balance";

-- AlterTable
ALTER TABLE "chain_job" ADD COLUMN     "split" JSONB NOT NULL;
