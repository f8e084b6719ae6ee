import pytest

from hub.departments.department import BadDepartment, Department, check_credit_code, checked

# Published by their holders on their own pages.
REAL = ["91110000600037341L", "91440300708461136T", "91110000802100433B"]


@pytest.mark.parametrize("code", REAL)
def test_published_credit_codes_pass(code):
    check_credit_code(code)


@pytest.mark.parametrize("code", REAL)
@pytest.mark.parametrize("place", range(17))
def test_one_wrong_sign_is_noticed(code, place):
    sign = "1" if code[place] != "1" else "2"
    with pytest.raises(BadDepartment, match="check sign"):
        check_credit_code(code[:place] + sign + code[place + 1 :])


@pytest.mark.parametrize(
    "code", ["", "9135021", "9111000060003734II", "91110000600037341l", "91110A00600037341L"]
)
def test_a_wrong_shape_is_no_credit_code(code):
    with pytest.raises(BadDepartment, match="no credit code"):
        check_credit_code(code)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "环卫"}, "code"),
        ({"code": "-x"}, "code"),
        ({"name_zh": " "}, "name_zh"),
        ({"name_zh": "x" * 101}, "name_zh"),
        ({"credit_code": "1"}, "credit_code"),
        ({"phone": "call me"}, "phone"),
        ({"level": 4}, "level"),
    ],
)
def test_a_department_that_cannot_be_names_its_field(changes, field):
    with pytest.raises(BadDepartment) as refused:
        checked(Department(**({"code": "huanwei", "name_zh": "环卫处"} | changes)))
    assert refused.value.field == field
