"""Makes the golden files beside it with sentence-transformers: the vectors and token ids that our graphs and tokenizer are held to.

    python make_golden.py --model FOLDER_OF_ALL_MINILM_L6_V2

FOLDER holds the official files (`npm run model` puts them into .jeeves/models/all-MiniLM-L6-v2). Packages: those of
bench/opponents/sentence-transformers.txt. Writes

- all-minilm-l6-v2.json: token ids after truncation and fp32 vectors of golden-texts.json;
- tiny-cls/: a BERT encoder of two layers with seeded random weights, CLS pooling, no normalisation of its own prompts but those of
  config_sentence_transformers.json, saved by sentence-transformers itself;
- tiny-cls.json: the same for it, without a prompt, as query and as document.

Vectors are little-endian float32 in base64, unchanged. Nothing is fetched.
"""

import argparse
import base64
import datetime
import hashlib
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

import numpy  # noqa: E402
import sentence_transformers  # noqa: E402
import tokenizers  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OFFICIAL_ID = "sentence-transformers/all-MiniLM-L6-v2"
OFFICIAL_REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
SEED = 20261125
TINY_POSITIONS = 40
PROMPTS = {"query": "query: ", "document": "passage: "}
# Texts of one call: padding and neighbours must not matter to us, so neither may they here.
BATCH_SIZE = 1


def sha256_of(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def provenance(model_id: str, revision: str, folder: pathlib.Path) -> dict:
    names = ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json", "modules.json"]
    return {
        "model_id": model_id,
        "revision": revision,
        "sha256": {name: sha256_of(folder / name) for name in names},
        "script": "test/golden/make_golden.py",
        "packages": {
            "python": platform.python_version(),
            "sentence-transformers": sentence_transformers.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
            "torch": torch.__version__,
        },
        "arithmetic": "fp32, CPU, one text a call",
        "made_on": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def golden_texts() -> list[str]:
    groups = json.loads((HERE / "golden-texts.json").read_text("utf-8"))
    texts = []
    for entry in (entry for group in groups.values() for entry in group):
        texts.append(entry if isinstance(entry, str) else (entry["repeat"] * entry["count"]).strip())
    return texts


def encoded(vector: numpy.ndarray) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def token_ids(model: SentenceTransformer, text: str) -> list[int]:
    return model.tokenizer(text, truncation=True, max_length=model.max_seq_length)["input_ids"]


def vectors(model: SentenceTransformer, texts: list[str]) -> list[str]:
    rows = model.encode(texts, batch_size=BATCH_SIZE, convert_to_numpy=True, show_progress_bar=False)
    return [encoded(row) for row in rows]


def write(name: str, content: dict) -> None:
    path = HERE / name
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes, {len(content['cases'])} texts")


def make_official(folder: pathlib.Path) -> None:
    model = SentenceTransformer(str(folder), device="cpu")
    texts = golden_texts()
    cases = [
        {"text": text, "tokens": token_ids(model, text), "vector": vector}
        for text, vector in zip(texts, vectors(model, texts), strict=True)
    ]
    write(
        "all-minilm-l6-v2.json",
        {
            "provenance": provenance(OFFICIAL_ID, OFFICIAL_REVISION, folder),
            "dimensions": model.get_embedding_dimension(),
            "input_tokens_max": model.max_seq_length,
            "cases": cases,
        },
    )


def tiny_tokenizer(texts: list[str]) -> transformers.PreTrainedTokenizerBase:
    """WordPiece over single characters and a few words: every text has tokens, and some are unknown."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + list("0123456789")
    words = ["the", "and", "query", "passage", "guitar", "man", "is", "playing", "sentence", "word", "##ing", "##s"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *[f"##{letter}" for letter in letters]]
    pieces += words + list(".,:;?!-'\"()äöü")
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    core = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    core.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    core.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    core.decoder = tokenizers.decoders.WordPiece()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=TINY_POSITIONS,
    )


def make_tiny() -> None:
    torch.manual_seed(SEED)
    texts = golden_texts()
    tokenizer = tiny_tokenizer(texts)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=TINY_POSITIONS,
        # Ten times BERT's own: else attention is all but uniform and a wrong one would hardly show.
        initializer_range=0.2,
    )
    bert = transformers.BertModel(config)
    with torch.no_grad():
        for name, parameter in bert.named_parameters():
            # As a trained model has them: neither all 0 nor all 1.
            if name.endswith("bias") or "LayerNorm" in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    modules = sentence_transformers.models
    with tempfile.TemporaryDirectory() as folder:
        bert.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        transformer = modules.Transformer(folder, max_seq_length=TINY_POSITIONS)
        pooling = modules.Pooling(transformer.get_embedding_dimension(), pooling_mode="cls")
        model = SentenceTransformer(modules=[transformer, pooling, modules.Normalize()], prompts=PROMPTS, device="cpu")
        target = HERE / "tiny-cls"
        shutil.rmtree(target, ignore_errors=True)
        model.save(str(target), create_model_card=False)
    # What was saved is what is measured.
    model = SentenceTransformer(str(target), device="cpu")
    assert model.prompts == PROMPTS, model.prompts
    plain = vectors(model, texts)
    queries = [encoded(row) for row in model.encode_query(texts, batch_size=BATCH_SIZE)]
    documents = [encoded(row) for row in model.encode_document(texts, batch_size=BATCH_SIZE)]
    cases = [
        {
            "text": text,
            "tokens": token_ids(model, text),
            "vector": plain[index],
            "query_vector": queries[index],
            "document_vector": documents[index],
        }
        for index, text in enumerate(texts)
    ]
    write(
        "tiny-cls.json",
        {
            "provenance": provenance(f"random weights, seed {SEED}", "none", target),
            "dimensions": model.get_embedding_dimension(),
            "input_tokens_max": model.max_seq_length,
            "prompts": PROMPTS,
            "cases": cases,
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=pathlib.Path)
    options = parser.parse_args()
    make_official(options.model)
    make_tiny()
    sys.stdout.flush()


main()
