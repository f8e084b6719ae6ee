"""What a page says on paper."""

import pypdfium2
from playwright.sync_api import Page


def on_paper(page: Page) -> str:
    page.emulate_media(media="print")
    sheets = pypdfium2.PdfDocument(page.pdf())
    page.emulate_media(media="screen")
    return "".join(sheet.get_textpage().get_text_bounded() for sheet in sheets)
