-- Policies say what becomes of data in use, and datasets what answers may show: the projection is emptied, and the API
-- replays it from the first event when it starts. Nothing here is lost: no other table is touched.
TRUNCATE TABLE "projection_cursor", "dao", "dataset", "policy_version", "measurement", "member", "application",
  "chain_job", "proposal", "vote", "dao_event", "holder_set", "holder_set_version", "holder_tombstone", "runner",
  "signer", "consent_grant", "contribution", "receipt", "receipt_use", "payout", "receipt_pool", "epoch", "epoch_claim",
  "licence_offer", "licence", "ledger_entry", "account_balance";

-- AlterTable
ALTER TABLE "dataset" ADD COLUMN "answer_rules" JSONB NOT NULL;
