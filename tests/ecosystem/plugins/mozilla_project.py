"""The settings of a small project with mozilla-django-oidc; its tests come without any."""

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "mozilla_django_oidc",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
OIDC_USERNAME_ALGO = "mozilla_django_oidc.auth.default_username_algo"
ROOT_URLCONF = "mozilla_django_oidc.urls"
SECRET_KEY = "x" * 50
USE_TZ = True
