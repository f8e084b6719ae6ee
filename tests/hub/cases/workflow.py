"""Calls that take a case along its way, for the tests of the workflow."""

ROAD = ("file", "dispatch", "accept", "feedback", "verify_result", "close")


def take(call, case, action, role=None, **more):
    """Take a step as the case stands now."""
    path = f"/api/cases/{case['id']}"
    version = call("GET", path).json()["version"]
    body = {"action": action, "version": version, **more}
    return call("POST", f"{path}/actions", json=body, **({"role": role} if role else {}))


def department(call, code, name=None, **fields):
    """Keep a department."""
    body = {"version": 0, "department": {"name_zh": name or code} | fields}
    answer = call("PUT", f"/api/departments/{code}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rule(call, department, from_case=None, **when):
    """Put a rule in force."""
    body = {"rule": {"department": department} | when, "from_case": from_case}
    return call("POST", "/api/dispatch-rules", json=body)


def acts(call, case):
    """What was done with a case."""
    return [act["action"] for act in call("GET", f"/api/cases/{case['id']}").json()["history"]]
