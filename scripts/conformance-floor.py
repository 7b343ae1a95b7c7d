#!/usr/bin/env python3
"""Compares what a conformance run printed with what must at least pass.

usage: conformance-floor.py search|agent|sql FILE
"""
import re
import sys

# Shares in percent for the groups of the search store; counts for the others.
SEARCH = {"server": 95, "doc": 95, "bulk": 95, "query": 80, "query_string": 80, "aggs": 90, "msearch": 90, "search": 90}
AGENT = 325
SQL_QUERIES = 19
SQL_EXPRESSIONS = 221


def search(text):
    bad = []
    for group, passed, failed in re.findall(r"^(\S+)\s+(\d+) passed\s+(\d+) failed$", text, re.M):
        share = 100 * int(passed) / max(1, int(passed) + int(failed))
        print(f"{group:14} {passed:>4} passed {failed:>4} failed  {share:5.1f} %")
        if share < SEARCH.get(group, 0):
            bad.append(f"{group}: {share:.1f} % pass, at least {SEARCH[group]} % must")
    return bad or ([] if "passed" in text else ["the run printed no result"])


def agent(text):
    m = re.search(r"^ok (\d+), fail (\d+)", text, re.M)
    if not m:
        return ["the run printed no result"]
    print(m[0])
    return [] if int(m[1]) >= AGENT else [f"{m[1]} cases pass, at least {AGENT} must"]


def sql(text):
    m = re.search(r"expressions (\d+)/\d+, their types (\d+)/(\d+), queries (\d+)/\d+", text)
    if not m:
        return ["the run printed no result"]
    print(m[0])
    bad = []
    if int(m[1]) < SQL_EXPRESSIONS:
        bad.append(f"{m[1]} expressions pass, at least {SQL_EXPRESSIONS} must")
    if int(m[4]) < SQL_QUERIES:
        bad.append(f"{m[4]} queries pass, at least {SQL_QUERIES} must")
    for line in re.findall(r"^FAIL query (?:seed_|filter_|select_|values|computed_(?!watermark)).*$", text, re.M):
        bad.append(line)
    return bad


def main():
    problems = {"search": search, "agent": agent, "sql": sql}[sys.argv[1]](open(sys.argv[2], encoding="utf-8").read())
    for p in problems:
        print("below the floor:", p)
    sys.exit(1 if problems else 0)


main()
