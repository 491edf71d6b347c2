"""sentence-transformers in this process, as its documentation shows it: fp32 on torch. Nothing is fetched.

Loads, says "ready", then embeds a file of texts (JSON strings, one a line) for each line {"file", "batch"} on standard input and
prints {"seconds", "first_vector"}. It sorts by length itself.
"""

import argparse
import json
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

import sentence_transformers  # noqa: E402
import torch  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    model = sentence_transformers.SentenceTransformer(parser.parse_args().model, device="cpu")
    model.encode(["warm up " * 100] * 8)
    versions = f"{sentence_transformers.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    print(json.dumps({"event": "ready", "versions": versions}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        with open(request["file"], encoding="utf-8") as lines:
            texts = [json.loads(text) for text in lines]
        started = time.perf_counter()
        vectors = model.encode(texts, batch_size=request["batch"], convert_to_numpy=True, show_progress_bar=False)
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "first_vector": vectors[0].tolist()}), flush=True)


main()
