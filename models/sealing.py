"""What may not lie open in the database: sealed with the installation's key, opened with it alone."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class KeyUnusable(Exception):
    """The installation's key is none that `congnhan zalo key` makes."""


class WrongKey(Exception):
    """What is kept was sealed with another key than those of this installation."""


class Seal:
    """The installation's keys, separated by commas and the newest first: it seals, any of them opens."""

    def __init__(self, keys: str) -> None:
        """Take the keys; raises KeyUnusable, which shows nothing of them."""
        parts = [part.strip() for part in keys.split(",") if part.strip()]
        try:
            self._keys = MultiFernet([Fernet(part) for part in parts])
        except ValueError:
            raise KeyUnusable from None

    def sealed(self, text: str) -> str:
        """Return the text so that only these keys open it; never the same twice."""
        return self._keys.encrypt(text.encode()).decode("ascii")

    def opened(self, sealed: str) -> str:
        """Return the text that was sealed; raises WrongKey, which shows nothing of it."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise WrongKey from None


def new_key() -> str:
    """Return a new key that nobody else has."""
    return Fernet.generate_key().decode("ascii")
