"""What a user would start instead: LlamaIndex's ingestion pipeline with its usual parts, into Postgres with pgvector.

Loads once, says "ready", then runs the whole pipeline into a fresh table for each table name read from standard input and
prints one JSON line: chunks, seconds. Nothing is fetched: the model comes from a folder.
"""

import argparse
import json
import os
import sys
import time
from urllib.parse import urlsplit

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

from llama_index.core import Document  # noqa: E402
from llama_index.core.ingestion import IngestionPipeline  # noqa: E402
from llama_index.core.node_parser import SentenceSplitter  # noqa: E402
from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # noqa: E402
from llama_index.vector_stores.postgres import PGVectorStore  # noqa: E402

CHUNK_TOKENS = 250
# As on the other side; any overlap would only cost more.
CHUNK_OVERLAP_TOKENS = 0
# Same graph settings as on the other side (m 16, ef_construction 64 are pgvector's defaults as well).
HNSW = {"hnsw_m": 16, "hnsw_ef_construction": 64, "hnsw_ef_search": 40, "hnsw_dist_method": "vector_cosine_ops"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", required=True, help="JSON lines with id and text")
    parser.add_argument("--model", required=True, help="folder with the model's files")
    parser.add_argument("--database", required=True, help="postgresql:// URL")
    parser.add_argument("--embed-batch-size", type=int, default=10)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with open(options.texts, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    splitter = SentenceSplitter(chunk_size=CHUNK_TOKENS, chunk_overlap=CHUNK_OVERLAP_TOKENS)
    embedding = HuggingFaceEmbedding(
        model_name=options.model, device="cpu", embed_batch_size=options.embed_batch_size
    )
    embedding.get_text_embedding_batch(["warm up " * 100] * 8)
    database = urlsplit(options.database)
    print(json.dumps({"event": "ready"}), flush=True)
    for line in sys.stdin:
        store = PGVectorStore.from_params(
            host=database.hostname,
            port=str(database.port),
            user=database.username,
            password=database.password,
            database=database.path.lstrip("/"),
            table_name=line.strip(),
            embed_dim=384,
            hybrid_search=True,
            text_search_config="english",
            hnsw_kwargs=HNSW,
        )
        documents = [Document(id_=record["id"], text=record["text"]) for record in records]
        pipeline = IngestionPipeline(transformations=[splitter, embedding], vector_store=store)
        started = time.perf_counter()
        nodes = pipeline.run(documents=documents)
        seconds = time.perf_counter() - started
        print(json.dumps({"event": "done", "chunks": len(nodes), "seconds": seconds}), flush=True)


main()
