"""What says who somebody is, where people wrote it into a text.

Numbers are known by their form. A name is known only where the text says whose it is (我叫张三,
姓名：李四): Chinese has no spaces between words, and every street and village begins as a surname
does. What is doubtful stays, so that no place is lost.
"""

import re

PHONE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)", re.ASCII)
IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)", re.ASCII)

_LANDLINE = re.compile(
    r"(?<!\d)[(（]?0(?:10|2\d|[3-9]\d\d)[)）]?[ \-－—]{0,2}[2-9]\d{2,3}[ \-]?\d{4}"
    r"(?: ?(?:[\-－#]|转|分机) ?\d{1,6})?(?!\d)",
    re.ASCII,
)
_LOCAL = re.compile(
    r"((?:电话|座机|固话)(?:号码|号)?[是为：: ]{0,2})[2-9]\d{2,3}[ \-]?\d{4}(?!\d)", re.ASCII
)
"""Without an area code, seven or eight digits are a number that is rung only where that is said."""

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱林郭罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕"
    "丁任沈姚卢姜崔钟谭陆汪范廖贾韦付傅邹孟熊秦邱薛侯雷龙段郝孔邵史毛顾赖贺龚樊莫殷翟倪庞"
    "鲁柯詹聂阎闫焦葛翁耿戚鞠詹裴祁覃"
)
_ALSO_WORDS = "高马何于夏方石金白江万康钱汤尹黎易常武乔安洪陶戴邢文牛温季伍向申尤岳宁"
"""Surnames that ordinary words and places begin with too (高中生, 石泉人)."""
_TWO = "欧阳|上官|司马|诸葛|皇甫|尉迟|慕容|令狐|夏侯"
_NO_NAME_ENDS = (
    "人生头员工主户民者家路街道巷村组区县市镇乡社队店厂校院园楼栋桥河湾沟"
    "坝梁坡城门口站局所处师长的了们"
)
"""No name is taken to end so: these end what people are, and where."""
_HAN = "\u4e00-\u9fff"
_ENDS = rf"(?=[^{_HAN}]|$|住|家住|电话|手机|男|女|今年)"


def _name(surnames: str, given: str) -> str:
    return rf"(?:(?:{_TWO})|[{surnames}]){given}"


_LABEL = "姓名|联系人|反映人|投诉人|举报人|报案人|当事人|户主"
_ENDING = rf"[{_HAN}]?(?![{_NO_NAME_ENDS}])[{_HAN}]"
_NAMED = re.compile(
    rf"((?:我叫|名叫|他叫|她叫) ?){_name(_SURNAMES + _ALSO_WORDS, _ENDING)}{_ENDS}"
    rf"|((?:{_LABEL})(?:[：:是为]| )[ ]?)(?:[{_HAN}]{{2,8}}·[{_HAN}]{{2,8}}"
    rf"|{_name(_SURNAMES + _ALSO_WORDS, f'[{_HAN}]{{1,2}}')}){_ENDS}"
    rf"|((?:{_LABEL})){_name(_SURNAMES, _ENDING)}{_ENDS}"
    rf"|(我是){_name(_SURNAMES, _ENDING)}(?=[^{_HAN}]|$)"
)


def blotted(text: str) -> str:
    """The text without numbers that lead to somebody, and without names that it calls so."""
    for form in (IDENTITY, PHONE, _LANDLINE):
        text = form.sub("***", text)
    for form in (_LOCAL, _NAMED):
        text = form.sub(lambda hit: f"{next(filter(None, hit.groups()), '')}***", text)
    return text
