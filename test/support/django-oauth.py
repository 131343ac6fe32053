"""An OAuth server of django-oauth-toolkit: django-oauth.py PORT, and as JSON on the standard input its clients and users."""

import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

given = json.load(sys.stdin)
settings.configure(
    SECRET_KEY="key-of-the-tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="oauth2_provider.urls",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
    USE_TZ=True,
    OAUTH2_PROVIDER={
        "SCOPES": {scope: scope for scope in given["scopes"]},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 30,
        "ROTATE_REFRESH_TOKEN": True,
    },
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from oauth2_provider.models import Application

call_command("migrate", verbosity=0)
for client in given["clients"]:
    Application.objects.create(
        name=client["id"],
        client_id=client["id"],
        client_secret=client["secret"],
        client_type="confidential",
        authorization_grant_type=client["grant"],
    )
for user in given["users"]:
    User.objects.create_user(user["name"], password=user["password"])


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), handler_class=Quiet).serve_forever()
