"""The demo calls as plays: who says what, and how long after the line before. Speaking and mixing them belongs to speak.py.

Everything is invented. The card number is one that payment providers publish for tests.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Person:
    """Somebody in the room. ``joins_ms``: from the call's start. ``joins_after``, ``leaves_after``: the index of the line after which they do."""

    key: str
    role: str
    voice: str  # one of flite's
    kind: str = "STANDARD"
    joins_ms: int = 0
    joins_after: int | None = None
    leaves_after: int | None = None


@dataclass(frozen=True)
class Line:
    """``after_ms``: the silence since the line before; below zero, the speaker interrupts it."""

    who: str
    text: str
    after_ms: int = 600


@dataclass(frozen=True)
class Recording:
    """One egress. ``left`` and ``right`` name people; ``only`` one of them; with neither it is a mix of all in one channel."""

    starts_ms: int
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    only: str | None = None
    suffix: str = ""


@dataclass(frozen=True)
class Failure:
    """An egress that left no file."""

    starts_ms: int
    ends_ms: int
    error: str
    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """``first_line_ms``: from the call's start. ``duration_ms`` is given where nobody is heard, else it follows from the lines.

    ``publication``: what consent allows of it: published, cut, quarantined; None where nothing is recorded.
    """

    name: str
    title: str
    type: str
    started_at: datetime
    people: tuple[Person, ...]
    recordings: tuple[Recording | Failure, ...]
    lines: tuple[Line, ...] = field(default=())
    first_line_ms: int = 0
    duration_ms: int = 0
    publication: str | None = "published"


def at(day: int, hour: int, minute: int, second: int) -> datetime:
    return datetime(2025, 3, day, hour, minute, second, tzinfo=UTC)


AGENT = Person("agent", "agent", "slt", joins_ms=900)
CUSTOMER = Person("customer", "customer", "rms")
ASSISTANT = Person("assistant", "assistant", "awb", kind="AGENT", joins_ms=700)

CALLS = (
    Call(
        name="quote-with-consent",
        title="A quote with consent, handed over to a human",
        type="quote",
        started_at=at(3, 15, 4, 5),
        people=(
            CUSTOMER,
            Person("assistant", "assistant", "awb", kind="AGENT", joins_ms=700, leaves_after=7),
            Person("agent", "agent", "slt", joins_after=7),
        ),
        recordings=(Recording(4200, left=("customer",), right=("assistant", "agent")),),
        first_line_ms=5000,
        lines=(
            Line(
                "assistant",
                "Hello! I'm your Daily Event Insurance assistant. This call may be recorded for quality and compliance purposes. Do you consent to being recorded?",
            ),
            Line("customer", "Yes, I consent to being recorded.", 700),
            Line("assistant", "Thank you for your consent. What kind of event are you planning?", 500),
            Line("customer", "We are planning a fun run in Denver on June fifteenth. We expect about two hundred participants.", 600),
            Line("assistant", "Is it indoors or outdoors? Will alcohol be served?", 500),
            Line("customer", "It is an outdoor event without alcohol. Can I speak to a human please?", 700),
            Line("assistant", "Of course. I'm connecting you with a specialist now, please hold.", 500),
            Line("customer", "Okay, thank you.", 500),
            Line(
                "agent",
                "Hi, this is Sarah Miller, I'm a licensed agent with Daily Event Insurance. So that is a fun run for two hundred people on June fifteenth.",
                4400,
            ),
            Line("customer", "Yes, that is correct.", -500),
            Line(
                "agent", "We offer general liability and participant accident coverage. The price is three dollars per person per day.", 600
            ),
            Line("customer", "Does that include weather cancellation?", 600),
            Line("agent", "Weather cancellation is a separate coverage. I can send you the policy documents to review.", 500),
            Line("customer", "That sounds good. Let me think about it.", -300),
            Line("agent", "Sure. You will receive the quote by email. Is there anything else I can help you with?", 500),
            Line("customer", "No, that's all. Thank you so much for your help.", 500),
            Line("agent", "You're welcome, have a great day.", 400),
        ),
    ),
    Call(
        name="claim-recording-refused",
        title="A claim whose customer refuses to be recorded",
        type="claims",
        publication="quarantined",
        started_at=at(3, 18, 31, 40),
        people=(CUSTOMER, AGENT),
        recordings=(Recording(1500, left=("customer",), right=("agent",)),),
        first_line_ms=2300,
        lines=(
            Line(
                "agent",
                "Thank you for calling Daily Event Insurance, my name is Jennifer. This call is being recorded for quality and training purposes. Is that okay with you?",
            ),
            Line("customer", "No, I do not consent to being recorded.", 700),
            Line("agent", "No problem at all. I will stop the recording, and I will take notes instead.", 500),
            Line("customer", "Thank you. I want to file a claim. There was an accident at our climbing wall last Saturday.", 600),
            Line("agent", "I'm sorry to hear that. Was anyone injured?", 500),
            Line("customer", "Yes, one of our guests fell off the wall. The doctor said it is a broken wrist.", 600),
            Line("agent", "I understand. Did you call an ambulance?", 500),
            Line("customer", "Yes, the ambulance arrived after fifteen minutes. We took him to the hospital in Portland.", 600),
            Line("agent", "Did you take any photos or videos?", 500),
            Line("customer", "I have a video of the accident, and I have the receipts from the hospital.", 600),
            Line("agent", "Great. Please submit the photos within thirty days. Your claim number is four seven two nine one.", -400),
            Line("customer", "How long does the claim take?", 600),
            Line("agent", "You should hear back within ten business days. Claims are processed according to the policy terms.", 500),
            Line("customer", "Alright, thank you. Goodbye.", 500),
        ),
    ),
    Call(
        name="support-consent-withdrawn",
        title="A support call whose consent is withdrawn midway",
        type="support",
        publication="cut",
        started_at=at(4, 14, 12, 8),
        people=(CUSTOMER, AGENT),
        recordings=(Recording(1800, left=("customer",), right=("agent",)),),
        first_line_ms=2500,
        lines=(
            Line(
                "agent",
                "Good afternoon, thank you for calling Daily Event Insurance. This call may be recorded. Do you agree to the recording?",
            ),
            Line("customer", "Yes, that's fine.", 700),
            Line("agent", "Thank you. How may I help you?", 500),
            Line("customer", "I would like to change the date of my event. My policy number is eight one five three zero six.", 600),
            Line("agent", "One moment please. I have found your policy. It is a yoga class in Austin on May third.", 900),
            Line("customer", "That's right. We had to cancel the yoga class because of rain.", 600),
            Line("agent", "I see. When is your event now, and how many people do you expect?", 500),
            Line("customer", "Actually, please stop recording now. I have changed my mind, and I withdraw my consent.", -900),
            Line("agent", "Of course. I will stop the recording right now. Let's go on without recording.", 500),
            Line("customer", "Thank you. The new date is Saturday, May seventeenth. We expect about forty people.", 600),
            Line("agent", "Perfect. I have changed the date of your event. I will send the certificate to your email address.", 800),
            Line("customer", "Great. Thank you so much for your help.", -200),
            Line("agent", "You're welcome. Have a nice day, goodbye.", 500),
        ),
    ),
    Call(
        name="payment-card-read-out",
        title="A payment whose card number and security code are read out",
        type="quote",
        started_at=at(4, 20, 47, 55),
        people=(CUSTOMER, AGENT),
        recordings=(Recording(1600, left=("customer",), right=("agent",)),),
        first_line_ms=2400,
        lines=(
            Line(
                "agent", "Good evening, this is Sarah Miller with Daily Event Insurance. This call may be recorded. Is that okay with you?"
            ),
            Line("customer", "Sure, go ahead.", 600),
            Line(
                "agent",
                "Thank you. Your premium for the food festival in Nashville is ninety dollars. You can pay by card or by bank transfer.",
                500,
            ),
            Line("customer", "I would like to pay by card.", 600),
            Line("agent", "What is the card number please?", 500),
            Line("customer", "My card number is four two six three, nine eight two six.", 800),
            Line("agent", "Okay.", 400),
            Line("customer", "Four zero two six, nine two nine nine.", 500),
            Line("agent", "Thank you. And the security code on the back?", 500),
            Line("customer", "The security code is eight three seven. It expires in March.", 700),
            Line("agent", "I will take your payment now. One moment please. Your payment went through.", 600),
            Line("customer", "Wonderful. Does the policy include liquor liability?", 600),
            Line("agent", "Yes, that includes liquor liability coverage. The policy starts on April twelfth.", 500),
            Line("customer", "Can you email me the certificate?", 500),
            Line("agent", "The certificate is issued right after the purchase. You will receive it by email.", 500),
            Line("customer", "Perfect. Have a good evening, goodbye.", 500),
        ),
    ),
    Call(
        name="support-mono-mix",
        title="A support call recorded as one mix",
        type="support",
        publication="quarantined",
        started_at=at(5, 13, 20, 17),
        people=(CUSTOMER, ASSISTANT),
        recordings=(Recording(1400),),
        first_line_ms=2200,
        lines=(
            Line(
                "assistant",
                "Hello, I'm your Daily Event Insurance assistant. This call may be recorded for quality and compliance purposes. Is that okay with you?",
            ),
            Line("customer", "Yes, that is okay with me. Are you a real person?", 700),
            Line("assistant", "You are speaking with a virtual assistant. How can I help you today?", 600),
            Line(
                "customer", "I need a certificate of insurance for our wedding in San Diego. The event is on Friday, September fifth.", 700
            ),
            Line("assistant", "Let me check that for you. I have found your policy.", 700),
            Line("customer", "Does the policy cover rain?", 600),
            Line("assistant", "Weather cancellation is a separate coverage. Our licensed team can explain the specific coverage.", 600),
            Line("customer", "Okay. Please call me back on Monday at ten. My phone number is five five five zero one four two.", 700),
            Line("assistant", "Thank you. An agent will call you on Monday. I will send the certificate to your email address.", 700),
            Line("customer", "That sounds good. Thank you so much for your help.", 600),
            Line("assistant", "You're welcome, have a great day.", 600),
        ),
    ),
    Call(
        name="partner-training",
        title="A training of two partners, one file for each of the three",
        type="training",
        started_at=at(5, 16, 0, 2),
        people=(
            Person("agent", "agent", "slt"),
            Person("partner-one", "partner", "rms", joins_ms=1300),
            Person("partner-two", "partner", "awb", joins_ms=9000),
        ),
        recordings=(
            Recording(800, only="agent", suffix="-agent"),
            Recording(2100, only="partner-one", suffix="-partner-one"),
            Recording(9800, only="partner-two", suffix="-partner-two"),
        ),
        first_line_ms=2800,
        lines=(
            Line(
                "agent",
                "Welcome to the partner training session. This consultation is recorded and transcribed for compliance. Hello, can you hear me?",
            ),
            Line("partner-one", "Yes, I can hear you. Good morning.", 500),
            Line("partner-two", "Hello, this is Michael from Orlando.", 1100),
            Line("agent", "Today we will cover the event cancellation product. I will share my screen now.", 600),
            Line("partner-one", "How do we integrate the widget on our website?", 600),
            Line("agent", "Open the partner dashboard and click on the quotes tab. The widget shows the price to your customers.", 500),
            Line("partner-two", "How are commissions paid?", -500),
            Line("agent", "Commissions are paid on the first and fifteenth of each month. Each sale earns you ten percent.", 700),
            Line("partner-one", "That answers my question. Where do I find the report?", 600),
            Line("agent", "You can see the sales of this week here. I will send the slides after the session.", 600),
            Line("partner-two", "Could you show that again?", 500),
            Line("agent", "Of course. You need to tell the customer that the call is recorded. Are there any questions so far?", 700),
            Line("partner-one", "Not yet, thank you.", 500),
            Line("partner-two", "No, that's all. Have a nice day.", -400),
            Line("agent", "The next session is on Thursday. Goodbye.", 600),
        ),
    ),
    Call(
        name="claim-egress-failed",
        title="A claim whose recording failed",
        type="claims",
        publication=None,
        started_at=at(5, 21, 15, 33),
        people=(CUSTOMER, AGENT),
        recordings=(Failure(1700, 12_400, "Start signal not received", left=("customer",), right=("agent",)),),
        duration_ms=64_300,
    ),
)
