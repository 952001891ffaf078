"""One client asks for as much as it can get; the others are answered all the same, by the server that operators run."""

import sys
from pathlib import Path

import pytest

from benchmarks.overload import attack, serving

from .corpus import ATTACKS

COSTLY = ["PNGs of noise", "JPEGs of noise", "JPEGs of 64 scans", "PNGs of 24,900 empty chunks"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a second address of loopback")
def test_nine_of_ten_predictions_of_others_are_answered_under_attack(tmp_path: Path):
    requests = [ATTACKS[name]() for name in COSTLY]
    with serving(tmp_path / "log.txt") as port:
        result = attack(port, requests, connections=12, seconds=10)
    assert len(result.other) >= 10
    assert result.answered >= 0.9
    refused = [answer for answer in result.attacker if answer.status == 503]
    assert refused  # or it was no attack
    assert all(answer.retry_after >= 1 for answer in refused)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a second address of loopback")
def test_clients_behind_a_trusted_proxy_are_told_apart(tmp_path: Path):
    requests = [ATTACKS[name]() for name in COSTLY]
    with serving(tmp_path / "log.txt", DIGITS_TRUSTED_PROXIES="1") as port:
        result = attack(port, requests, connections=12, seconds=10, proxied=True)
    assert len(result.other) >= 10
    assert result.answered >= 0.9
