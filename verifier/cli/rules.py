"""`python -m verifier rules`: which presets there are, and what a file of rules means."""

import argparse
import json
from typing import Any

from verifier.cli.languages import Language
from verifier.edges.rules_file import load_rules, preset_names, preset_text
from verifier.policy import HOUR, Policy
from verifier.rules import Rules


def run_rules(arguments: argparse.Namespace, language: Language) -> int:
    """List the presets, or show one or a file; see `arguments.EXIT_CODES`.

    Raises:
        RulesFileError: The file cannot be read, or is not one of rules.
    """
    name = arguments.rules
    if name is None:
        for preset in preset_names():
            print(f"{preset:<10}  {load_rules(preset).name_in(language.code)}")
    elif arguments.text and name in preset_names():
        print(preset_text(name), end="")
    elif arguments.json:
        print(json.dumps(_as_json(load_rules(name), language), ensure_ascii=False))
    else:
        print("\n".join(_lines(load_rules(name), language)))
    return 0


def _lines(rules: Rules, language: Language) -> list[str]:
    policy = rules.policy
    lines = [
        language.word("only_live" if policy.live_only else "also_static"),
        language.word("fresh", hours=policy.fresh_for // HOUR, stale=policy.stale_until // HOUR),
    ]
    if policy.identity_only:
        lines.append(language.word("only_identity"))
    listed = {
        "only_institutions": policy.institutions,
        "only_countries": policy.countries,
        "only_types": policy.types,
        "only_levels": policy.levels and {language.word(level) for level in policy.levels},
        "must_show": {language.word(claim) for claim in policy.claims},
    }
    for word, names in listed.items():
        if names:
            lines.append(language.word(word, names=", ".join(sorted(names))))
    title = language.word("rules_of", service=rules.name_in(language.code))
    return [title, *(f"  {line}" for line in lines)]


def _as_json(rules: Rules, language: Language) -> dict[str, Any]:
    policy = rules.policy
    return {
        "service": rules.name_in(language.code),
        "live_only": policy.live_only,
        "identity_only": policy.identity_only,
        "fresh_hours": policy.fresh_for // HOUR,
        "usable_hours": policy.stale_until // HOUR,
        **{
            name: _listed(policy, name)
            for name in ("institutions", "countries", "types", "levels")
        },
        "claims": sorted(policy.claims),
    }


def _listed(policy: Policy, name: str) -> list[str] | None:
    names: frozenset[str] | None = getattr(policy, name)
    return None if names is None else sorted(names)
