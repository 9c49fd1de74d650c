-- CreateTable
CREATE TABLE "base_claim" (
    "image" BYTEA NOT NULL,
    "evidence" TEXT NOT NULL,
    "digest" BYTEA NOT NULL,
    "host" TEXT COLLATE "C" NOT NULL,
    "repository" TEXT COLLATE "C" NOT NULL,
    "tag" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "base_claim_pkey" PRIMARY KEY ("image","evidence","digest","host","repository","tag")
);

-- CreateIndex
CREATE INDEX "image_top_chain_id_idx" ON "image"("top_chain_id");
