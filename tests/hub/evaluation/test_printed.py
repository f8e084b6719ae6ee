import io

import pytest
from PIL import Image

from hub.errors import Problem
from hub.evaluation import printed
from hub.evidence.file import check_picture


def test_a_hub_that_has_printed_still_refuses_torn_pictures():
    printed._weasyprint()
    whole = io.BytesIO()
    Image.new("RGB", (160, 90)).save(whole, "JPEG")
    check_picture(whole, max_pixels=20_000)
    with pytest.raises(Problem, match="cannot be decoded"):
        check_picture(io.BytesIO(whole.getvalue()[:-200]), max_pixels=20_000)
