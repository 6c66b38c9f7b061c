"""A store, its cookies, and a terminal to type them into."""

SECRET = "9nO-2sV0yUq1fW8zR4tK6mXcB7hJ3pLd5gQaZeTiYu0"


OTHER = "Zk3v-7QmXo1sYt5wRb9uLc2nPd8fHg4jEa6iKq0eWxM"


ADA = {"user": {"sub": "ada", "name": "canary-name"}, "theme": "canary-theme"}


def header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
