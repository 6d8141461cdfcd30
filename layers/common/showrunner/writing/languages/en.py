"""English."""

from showrunner.writing.languages import Language, words

LANGUAGE = Language(
    code="en",
    stopwords=words(
        """a about above after again against all almost along already also although always am among an and another any
        are around as at away back be became because become been before began being below best better between both
        but by called came can cannot come could day days did different do does doing done down during each early
        either else end enough even ever every far few first for found from further gave get give given go goes
        going good got great had half has have having he her here hers herself him himself his how however i if in
        indeed instead into is it its itself just keep kept kind knew know known large last later least less let
        like little long longer made main make makes making man many may me mean means might more most much must my
        near nearly need never new next no nor not nothing now of off often old on once one only or other others our
        out over own part parts people per perhaps place put quite rather really right said same saw say see seem
        seen set several shall she should show since small so some something sometimes soon still such take taken
        tell than that the their them then there therefore these they thing things think this those though three
        through thus time times to today together too took toward turn turned two under until up upon us use used
        using usually very via was way ways we well went were what when where whether which while who whole whom
        whose why will with within without work works would year years yet you your"""
    ),
    dependent=words(
        """this that these those it its they their them he she his her but however so therefore and or then also thus
        such instead yet another both nor still otherwise hence consequently moreover furthermore similarly
        meanwhile conversely likewise nevertheless nonetheless finally second secondly third thirdly here there
        because either neither one others besides again too"""
    ),
    pointing=words("later same too also latter former opposite these those such therefore however"),
    first_person=words("i me my mine myself we"),
    conjunction="and",
    quotes=("“", "”"),
    articles=words("the"),
    prepositions=words("in at from of by near to with for on"),
    plural_endings=("ies", "es", "s", "e", "y"),
    avoid=r"(?:never|don't|do not|avoid|no)\b(?: (?:mention|mentioning|talk about|talking about|discuss|discussing|"
    r"speak about|bring up|say))* (.+)",
    audience=r"(?:call|address)(?: (?:the|our|your|my))? (?:listeners?|audience)(?: as)? (.+)",
    opening=r"(?:open|start|begin)(?: (?:the show|every episode|each episode|episodes|always))* with (.+)",
    ending=r"(?:end|close|finish|sign off)(?: (?:the show|every episode|each episode|episodes|always))* with (.+)",
    phrases={
        "greeting": (
            "Hello and welcome to {show}. I'm {me}.",
            "Welcome to {show}. My name is {me}, good to have you here.",
            "This is {show}, and I'm {me}. Thanks for joining us.",
        ),
        "greeting_audience": (
            "Hello {audience}, and welcome to {show}. I'm {me}.",
            "Welcome to {show}, {audience}. My name is {me}.",
        ),
        "second_host": (
            "And I'm {me}. Our subject today: {title}.",
            "I'm {me}, hello. Today's episode is called: {title}.",
            "Hello from me too, I'm {me}. This time it's about this: {title}.",
        ),
        "subject": ("Our subject today: {title}.", "Today's episode is called: {title}.", "This episode: {title}."),
        "overview": (
            "We will get to {titles}.",
            "Here is what we have for you: {titles}.",
            "Along the way we come to {titles}.",
        ),
        "credit": (
            "What you are about to hear comes from {sources}.",
            "We are drawing on {sources} for this one.",
            "Everything we tell you today is taken from {sources}.",
        ),
        "section": (
            "Let's turn to our next subject: {title}. {other}, where do we start?",
            "That brings us to this: {title}. What do we need to know, {other}?",
            "Next on our list: {title}. {other}, would you begin?",
            "Time for the next chapter: {title}. What is there to tell, {other}?",
            "We move on. The heading is: {title}. {other}, you first.",
            "Let's open the next page: {title}. How does it begin, {other}?",
        ),
        "section_first": (
            "Let's begin with this: {title}. {other}, where do we start?",
            "First on our list: {title}. {other}, what should we know?",
            "We start here: {title}. How does it begin, {other}?",
        ),
        "section_question": (
            "Here is the next question: {title} {other}, what do we know?",
            "And that raises a question, {other}: {title}",
            "So, {other}, the question is this: {title}",
        ),
        "section_alone": (
            "We come to the next subject: {title}.",
            "Next: {title}.",
            "On to this: {title}.",
            "The next chapter: {title}.",
            "We turn the page: {title}.",
        ),
        "section_question_alone": ("Here is the next question: {title}", "The next question: {title}"),
        "attribution": (
            "According to {source}: {fact}",
            "As we read in {source}: {fact}",
            "In {source} we find this: {fact}",
            "This is from {source}: {fact}",
            "From {source} we take this: {fact}",
        ),
        "attribution_only": (
            "Our source puts it like this: {fact}",
            "According to our source: {fact}",
            "As our source tells it: {fact}",
        ),
        "quotation": (
            "In the words of {source}: {fact}",
            "And I quote {source}: {fact}",
            "Quoting {source} directly: {fact}",
        ),
        "reaction": (
            "Good to know.",
            "I see.",
            "That helps.",
            "Let's stay with that.",
            "That is worth keeping in mind.",
            "All right.",
            "Thanks, {other}.",
            "I have more on that.",
            "Let me add something.",
            "Let me pick that up.",
            "Noted.",
            "Okay, here is my part.",
        ),
        "new_point": (
            "There is more:",
            "One more point:",
            "Another detail:",
            "And something else:",
            "Here is the next part:",
            "A further point:",
            "Also worth telling:",
        ),
        "onward": ("It goes on:", "To continue:", "And on we go:", "Then we read:", "The next step:"),
        "question_new": (
            "What else do we know, {other}?",
            "And beyond that, {other}?",
            "{other}, what else is there?",
            "What should we add to that?",
            "And the next piece, {other}?",
            "What else belongs here, {other}?",
            "{other}, what is your next point?",
        ),
        "question_onward": (
            "What comes next, {other}?",
            "How does it go on?",
            "Can you take it from there, {other}?",
            "{other}, over to you.",
            "What is the next step in the story?",
            "Will you carry on, {other}?",
        ),
        "term_question": (
            "And what about {term}, {other}?",
            "{other}, what do we know about {term}?",
            "Can we talk about {term}?",
            "What does our source say about {term}?",
            "Where does {term} come in, {other}?",
        ),
        "recap": (
            "That is our time for today. We heard about {titles}.",
            "Let's look back for a moment. We came past {titles}.",
            "To sum up, these were our stops today: {titles}.",
        ),
        "last_thought": (
            "One last thought to take with you: {fact}",
            "And here is something to end on: {fact}",
            "Let me leave you with this: {fact}",
        ),
        "sign_off": (
            "That was {show}. Thank you for listening.",
            "Thanks for spending this time with {show}.",
            "This was {show}. It was good to have you with us.",
        ),
        "goodbye": (
            "Thanks from me as well. Until next time.",
            "Goodbye from me too, and take care.",
            "See you in the next episode. Goodbye.",
        ),
        "many": ("{titles} and more",),
        "summary": ("In this episode: {titles}. Based on {sources}.",),
        "note": ("Planning note: {note}",),
        "memory": ("Standing wish of the show: {note}",),
        "introduction": ("Welcome",),
        "closing": ("In closing",),
        "another_angle": ("{title}: {term}", "{title}: more on {term}"),
        "answer_none": ("This episode does not tell. Neither it nor its sources speak of that.",),
        "source": ("our source",),
    },
)
