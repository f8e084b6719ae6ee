"""Street scenes and vehicle days drawn with a known truth; always marked as generated."""
