"""The words of e-mail addresses that are read out: providers, endings, signs, and what stands around them. Reading them: spoken_addresses."""

from domain.redaction.number_words import words

DOTS = frozenset({"dot", ".", "period", "point", "dots", "that", "dock", "got", "not", "dought", "dat"})
SURE_DOTS = frozenset({"dot", ".", "period", "point"})
ENDINGS = words("com net org edu gov us io co biz info mil ca uk me calm comm con come kom comma nut")
CLEAR_ENDINGS = words("com net org edu gov")
SURE_ENDINGS = words("com net org edu gov us io co biz info mil ca uk me")
NEW_ENDINGS = words(
    "club vet church shop store online agency events photography studio design app dev live life world tech team pro band farm "
    "restaurant catering insurance law legal school care health coop travel family house wedding weddings email mail cloud site "
    "website today company group media news art music games fitness dental realty homes properties services solutions systems "
    "digital consulting construction plumbing academy center global xyz name museum aero mobi jobs tel edu africa nyc london"
)
"""Endings that are words of their own: only behind an "at" and a "dot"."""

COUNTRIES = words(
    "us uk ca io co me tv fm de fr es it ch nl be eu ng mt in au nz ie mx br jp se no dk pl pt cz gr il za ai cc at ph hk sg kr cn "
    "ar cl pe ve ec do pr jm tt bs ke gh ly gg sh so vc ws la nu am ms im st"
)
AT = frozenset({"at", "@", "arobase", "arroba", "add", "hat", "et", "ad"})
SURE_AT = frozenset({"at", "@"})
PROVIDERS = words(
    "gmail g-mail gmails hotmail yahoo outlook icloud aol comcast verizon protonmail proton fastmail msn att sbcglobal "
    "bellsouth live mac me cox charter earthlink ymail rocketmail googlemail zoho gmx mail hey spectrum optonline juno "
)
SURE_PROVIDERS = PROVIDERS - words("live mac me mail hey spectrum charter cox proton att")
SIGNS = {
    "dot": ".",
    "period": ".",
    "point": ".",
    "underscore": "_",
    "dash": "-",
    "hyphen": "-",
    "minus": "-",
    "plus": "+",
    "_": "_",
    "+": "+",
    "-": "-",
}
ENDS = words(
    "is it's its my the to um uh so yes yeah okay ok sure email e-mail mail address be that that's and or send me you a on "
    "for in of well right just please can i'm i'll i've we you'll was here there's this our your it as like all no sorry "
    "correct use using under with has have by via emailed sent confirm read reading back got great perfect thanks thank then "
    "spell spelled would should again oh um, good best one's it'll hi hello us online web website out more found site page "
    "visit go find info reach "
)
"""What no name goes on over, unless signs join it."""

OFFICES = words("info hello contact office sales support admin team billing events claims help mail hi")
"""Names of addresses that begin a sentence: "info at …", not "more info at …"."""

LIKE_AT = words("that it hit add hat out it's and as an")
"""What "at" is taken for, where recognition is not sure of it."""

FILLERS = words("rate um uh er erm the like a an my that's it's is uh, um,")
"""What may stand between "at" and the domain."""

ASIDES = words("um uh er and then that's all one word lowercase lower case capital as in like for the letter so it's okay yes")
LEADS = words(
    "it's its is it that's um uh so yes yeah yep sure okay ok well and my email e-mail address be use to send would should just sorry no "
)
"""What leads up to an address and is none of it."""

REPLIES = words(
    "don't do does did didn't haven't hasn't isn't won't can't cannot couldn't wouldn't not never why what when where who which how "
    "same before already remember know knows think thought guess forgot forget need needs want wants have has had got mail post "
    "postal paper text texted fax call phone changed change if because i'd i'll you'll we'll they either both neither work "
    "personal home school business old new current other works fine received receive see saw open opened use check checked "
    "let hold second moment minute wait find look looking there here yours sent send"
)
"""What shows that an answer talks of an address and does not give it."""

TELLS = words(
    "send sent sending get got getting gets receive received check checked see saw by via in through emailed with from read "
    "over into don't no not never didn't doesn't haven't without"
)
"""Before "email": it is told of, not asked for."""

TOLD_OF = words("you it them me him her us that this out the")
"""Behind "email" where it is a verb."""

ASKS = words(
    "what what's which where may could can best good spell your confirm give need have address and another whose verify "
    "contact provide tell whats current preferred valid"
)
