"""Reads the text format from standard input; says what is in it, and what a strict reader would refuse."""

import sys

from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.read()
names = set()
for family in text_string_to_metric_families(text):
    if family.name in names:
        sys.exit(f"{family.name} stands in two places")
    names.add(family.name)
    if not family.documentation:
        sys.exit(f"{family.name} has no help")
    labels = [tuple(sorted(sample.labels.items())) + (sample.name,) for sample in family.samples]
    if len(set(labels)) < len(labels):
        sys.exit(f"{family.name} has one sample twice")
    print(family.name, family.type, len(family.samples))
if not text.endswith("\n"):
    sys.exit("the last line does not end")
