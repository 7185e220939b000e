"""`congnhan backup` and `restore` as an operator runs them, and what he is told when they cannot."""

import json

from config.settings import settings


def test_a_backup_comes_back_into_another_home(run, opened, tmp_path, monkeypatch):
    code, out, err = run("backup", "sao-luu.tar.gz")
    assert (code, err) == (0, "")
    assert "sao-luu.tar.gz" in out
    code, out, _ = run("backup", "sao-luu.tar.gz", "--json")
    manifest = json.loads(out)
    assert manifest["tables"]["campaigns"]["rows"] == 1
    monkeypatch.setenv("CONGNHAN_HOME", str(tmp_path / "khac"))
    settings.cache_clear()
    code, out, err = run("restore", "sao-luu.tar.gz")
    assert (code, err) == (0, "")
    assert "khớp" in out
    assert opened in run("status")[1]
    code, out, err = run("restore", "sao-luu.tar.gz")
    assert (code, out) == (1, "")
    assert "nơi trống" in err


def test_what_is_no_backup_is_refused_in_one_line(run, tmp_path):
    (tmp_path / "thu.txt").write_text("MẪU")
    for name in ("thu.txt", "khong-co.tar.gz"):
        code, out, err = run("restore", name)
        assert (code, out) == (1, "")
        assert len(err.strip().splitlines()) == 1
        assert "Traceback" not in err
