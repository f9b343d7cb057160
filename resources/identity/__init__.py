"""Who a bearer token says its holder is: tokens of an OIDC issuer, or development tokens signed with a key of this data folder."""

from resources.identity.development import issue
from resources.identity.keys import IssuerUnavailable, KeyFile, Keys, KeysAt
from resources.identity.tokens import Identities, NotIdentified, identities_of

__all__ = ["Identities", "IssuerUnavailable", "KeyFile", "Keys", "KeysAt", "NotIdentified", "identities_of", "issue"]
