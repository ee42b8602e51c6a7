"""Extensions that bring third-party SDKs or the outside world, as in `autogen_ext`."""
