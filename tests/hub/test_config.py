import pytest
import yaml

from hub.config import check, is_loopback, load
from hub.errors import BadConfig


def write(tmp_path, **document):
    path = tmp_path / "hub.yaml"
    path.write_text(yaml.safe_dump({"data_dir": "data", **document}))
    return path


def test_the_least_configuration_is_enough(tmp_path):
    config = load(write(tmp_path))

    assert config.data_dir == tmp_path / "data"
    assert config.database_url == f"sqlite:///{tmp_path / 'data' / 'hub.sqlite'}"
    assert config.rule("garbage").open_case == "on_confirm"
    assert not config.demo


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"case_prefx": "AK"}, "case_prefx: unknown key (allowed: name, hub_id"),
        ({"listen": {"prot": 1}}, "listen.prot: unknown key (allowed: host, port)"),
        (
            {"rules": {"garbage": {"open": 1}}},
            "rules.garbage.open: unknown key (allowed: open_case",
        ),
        ({"listen": {"port": 99999}}, "listen.port: Input should be less than or equal to 65535"),
        ({"time_zone": "Mars/Base"}, "time_zone: Value error, must be a time zone such as"),
        ({"database": "mysql://x"}, "database: Value error, must be sqlite:///"),
        ({"database": "nonsense"}, "database: Value error, must be a URL"),
        ({"public_url": "ftp://x"}, "public_url: Value error, must begin with http://"),
        ({"demo": True, "listen": {"host": "0.0.0.0"}}, "demo: true is allowed only with"),
        ({"evidence": {"grant_s": 901}}, "evidence.grant_s: Input should be less than or equal"),
        ({"case_prefix": "ak"}, "(got 'ak')"),
    ],
)
def test_each_error_names_key_value_and_what_is_allowed(tmp_path, document, said):
    with pytest.raises(BadConfig) as caught:
        load(write(tmp_path, **document))
    assert said in str(caught.value)


def test_all_errors_come_at_once(tmp_path):
    with pytest.raises(BadConfig) as caught:
        load(write(tmp_path, case_prefix="x", enrol="maybe", surprise=1))
    assert len(caught.value.errors) == 3


@pytest.mark.parametrize("text", ["- a list", "{", "\x00", ""])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "hub.yaml"
    path.write_text(text)
    with pytest.raises(BadConfig):
        load(path)


def test_named_files_must_be_there(tmp_path):
    config = load(write(tmp_path, grids=["no.geojson"], broker={"password_file": "no.txt"}))
    assert [error.split(":")[0] for error in check(config)] == ["grids.0", "broker.password_file"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("hub.example", False),
        ("", False),
    ],
)
def test_is_loopback(host, expected):
    assert is_loopback(host) is expected
