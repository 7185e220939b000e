"""The catalogue: every sentence asked for exists, is one line, and gets the facts it needs."""

import re
from pathlib import Path

import pytest

import config
from config.messages import catalogue, say

CODE = re.compile(r'"((?:file|units|criteria|settings|script)\.[a-z_0-9]+)"')


def test_every_code_that_config_uses_has_its_sentence():
    sources = Path(config.__file__).parent.glob("*.py")
    used = {code for source in sources for code in CODE.findall(source.read_text(encoding="utf-8"))}
    assert used
    assert used <= set(catalogue())


def test_every_sentence_is_one_line():
    assert [code for code, text in catalogue().items() if "\n" in text] == []


def test_a_fact_may_be_called_code():
    assert "san-thang" in say("units.no_officer", code="san-thang", name="xã San Thàng")


@pytest.mark.parametrize("facts", [{}, {"name": "x"}])
def test_a_missing_fact_is_a_key_error(facts):
    with pytest.raises(KeyError):
        say("units.no_officer", **facts)


def test_a_missing_code_is_a_key_error():
    with pytest.raises(KeyError):
        say("file.no_such_sentence")
