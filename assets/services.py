"""What the assets work with: the store, the two object stores, the search index and the speech model, opened once per run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import Engine

from domain.consent import ConsentTable
from domain.quarantine import WithoutConsent
from domain.rules.rules import Rules
from resources.objects import FolderStore, ObjectStore, StorageError, open_store
from resources.policies import recording_consent, without_consent
from resources.policies.rules import compliance_rules
from resources.redaction.finding import Recognisers, load_recognisers
from resources.search import SearchIndex
from resources.search.postgres import PostgresIndex
from resources.settings import Settings
from resources.speech.diarization import Diarizer, load_diarizer
from resources.speech.model import SpeechModel
from resources.store.database import database
from resources.store.readiness import require_ready


@dataclass
class Services:
    """``now`` is the clock, so that tests can turn it."""

    settings: Settings
    engine: Engine
    intake: ObjectStore
    archive: ObjectStore
    index: SearchIndex
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def speech(self) -> SpeechModel:
        """Loaded at first use, so once per run, and not at all where nothing waits for it. Raises ModelUnavailable."""
        return SpeechModel.load(self.settings.speech())

    @cached_property
    def recognisers(self) -> Recognisers:
        """Of personal and card data; loaded at first use."""
        return load_recognisers(self.settings.redact_terms_file)

    @cached_property
    def rules(self) -> Rules:
        """The compliance rules. Raises WrongPolicy."""
        return compliance_rules(self.settings.rules_dir) if self.settings.rules_dir else compliance_rules()

    @cached_property
    def consent_table(self) -> ConsentTable:
        """Who must consent where. Raises WrongPolicy."""
        return recording_consent()

    @cached_property
    def without_consent(self) -> WithoutConsent:
        """What becomes of recordings without consent. Raises WrongPolicy."""
        return without_consent(self.settings.without_consent_file) if self.settings.without_consent_file else without_consent()

    @cached_property
    def diarizer(self) -> Diarizer | None:
        """Loaded at first use; None where it is not set up, so that mixes stay unattributed and are flagged."""
        return load_diarizer(self.settings.diarization_pipeline)


@contextmanager
def open_services(settings: Settings, *, needs_storage: bool = True) -> Iterator[Services]:
    """Raises NotReady, StorageUnavailable, AccessDenied or BucketMissing, with what to do, where a store cannot be used. Without
    ``needs_storage`` the object stores are as they are, and whoever asks them finds out.
    """
    with database(settings) as engine:
        require_ready(engine, settings)
        yield services_on(settings, engine, needs_storage=needs_storage)


def services_on(settings: Settings, engine: Engine, *, needs_storage: bool = True) -> Services:
    intake, archive = (open_store(url, settings.s3()) for url in (settings.intake, settings.archive))
    for store in (intake, archive):
        if needs_storage:
            store.check()
        elif isinstance(store, FolderStore):
            with suppress(StorageError):  # makes the folder
                store.check()
    return Services(settings, engine, intake, archive, PostgresIndex(engine))
