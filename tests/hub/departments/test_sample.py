from tests.hub.departments.test_api import put
from tianyan.department_sample import sample_rows, sample_rules


def test_the_demos_departments_and_rules_are_taken_and_marked(call):
    for code, fields in sample_rows().items():
        served = {"grid": "q01"} if "grid" in fields else {}
        assert put(call, code, **fields | served).status_code == 200
    listed = call("GET", "/api/departments").json()["items"]
    assert len(listed) == 18
    assert all(each["generated"] for each in listed)
    for rule in sample_rules():
        if "grid" not in rule:
            assert call("POST", "/api/dispatch-rules", json={"rule": rule}).status_code == 201
