-- The stream of a Sui network has events of the contracts' upgrades from here on, which gives the later ones other
-- numbers: the projection is emptied, and the API replays it from the first event when it starts. Nothing here is lost:
-- no other table is touched.
TRUNCATE TABLE "projection_cursor", "dao", "dataset", "policy_version", "measurement", "member", "application",
  "chain_job", "proposal", "vote", "dao_event", "holder_set", "holder_set_version", "holder_tombstone", "runner",
  "signer", "consent_grant", "contribution", "receipt", "receipt_use", "payout", "receipt_pool", "epoch", "epoch_claim",
  "licence_offer", "licence", "ledger_entry", "account_balance";

-- CreateTable
CREATE TABLE "upgrade_timelock" (
    "id" TEXT NOT NULL,
    "package_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "delay_ms" BIGINT NOT NULL,
    "locked_at" TIMESTAMPTZ(3) NOT NULL,
    "immutable_at" TIMESTAMPTZ(3),
    "event_seq" INTEGER NOT NULL,

    CONSTRAINT "upgrade_timelock_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "package_upgrade" (
    "event_seq" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "announced_at" TIMESTAMPTZ(3) NOT NULL,
    "ready_at" TIMESTAMPTZ(3) NOT NULL,
    "lapses_at" TIMESTAMPTZ(3) NOT NULL,
    "outcome" TEXT,
    "closed_at" TIMESTAMPTZ(3),
    "package_id" TEXT,
    "version" INTEGER,
    "transaction" TEXT NOT NULL,

    CONSTRAINT "package_upgrade_pkey" PRIMARY KEY ("event_seq")
);

-- CreateIndex
CREATE UNIQUE INDEX "upgrade_timelock_event_seq_key" ON "upgrade_timelock"("event_seq");
