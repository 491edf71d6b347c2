"""sentence-transformers in this process, as its documentation shows it: fp32 on torch, or with --arithmetic tf32 or fp16. Nothing is fetched.

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
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--arithmetic", choices=["fp32", "tf32", "fp16"], default="fp32")
    options = parser.parse_args()
    torch.set_float32_matmul_precision("high" if options.arithmetic == "tf32" else "highest")
    model = sentence_transformers.SentenceTransformer(options.model, device=options.device)
    if options.arithmetic == "fp16":
        model.half()
    model.encode(["warm up " * 100] * 8)
    place = f"{torch.get_num_threads()} threads" if options.device == "cpu" else torch.cuda.get_device_name()
    versions = f"{sentence_transformers.__version__}, torch {torch.__version__}, {options.arithmetic}, {place}"
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
