"""Portuguese."""

from showrunner.writing.languages import Language, words

LANGUAGE = Language(
    code="pt",
    stopwords=words(
        """a à acerca agora ai ainda além algo alguém algum alguma algumas alguns ali ano anos antes ao aos apenas após
        aquela aquelas aquele aqueles aqui aquilo as às assim até atrás através bastante bem boa bom cada cerca cinco
        com como contra contudo cuja cujo da daquele das de debaixo dela delas dele deles demais dentro depois desde
        desse desta deste deve devem disso disto do dois dos duas durante e é ela elas ele eles em embora enquanto
        entanto entre era eram és essa essas esse esses esta está estão estar estas estava este estes estou eu faz
        fazem fazer feito fez foi for foram fora grande grandes há havia isso isto já la lá lhe lhes lo logo longe
        lugar mais maior maioria mas me meio menos mesma mesmas mesmo mesmos meu mil minha muita muitas muito muitos
        na nada não nas nem nenhum nenhuma nessa nesse nesta neste no nos nós nossa nossas nosso nossos nova novo num
        numa nunca o onde ontem os ou outra outras outro outros para parte pela pelas pelo pelos pequeno perto pode
        podem pois por porém porque portanto pouca pouco poucos própria próprio quais qual qualquer quando quanto
        quase quatro que quem se seja sem sempre sendo ser será seu seus si sido só sob sobre somente sua suas tal
        talvez também tanta tanto tão te tem têm tempo tendo tenha ter teu teve tinha tinham toda todas todavia todo
        todos três tu tudo um uma umas uns vai vários vem vez vezes vocês você"""
    ),
    dependent=words(
        """este esta isto estes estas esse essa isso esses essas aquele aquela aquilo ele ela eles elas seu sua
        seus suas
        mas porém contudo todavia portanto assim então depois também além e ou pois embora ali aqui lá outro outra
        outros ambos ambas tal tais finalmente segundo terceiro enquanto porque logo cada lhe disso daí entretanto"""
    ),
    pointing=words(
        "mesmo mesma mesmos mesmas também este esta estes estas isso isto depois último porém entanto ambos"
    ),
    first_person=words("eu meu minha meus minhas mim me comigo nós"),
    conjunction="e",
    quotes=("“", "”"),
    articles=words("o a os as"),
    prepositions=words("em de desde por para com sobre até perto no na do da ao à nos nas dos das"),
    plural_endings=("ões", "ão", "ns", "es", "as", "os", "s", "a", "o", "e", "m"),
    avoid=r"(?:nunca|jamais|não|evite|evita|evitar)\b(?: (?:mencione|menciones|mencionar|fale|fales|falar|de|da|do|das|"
    r"dos|sobre|o|a|os|as))* (.+)",
    audience=r"(?:chame|chama|chamar)(?: (?:a|aos|às|os|as|nossos))* (?:ouvintes|público)(?: de)? (.+)",
    opening=r"(?:comece|começa|abra|abre|inicie|inicia)(?: (?:o programa|cada episódio|sempre))* com (.+)",
    ending=r"(?:termine|termina|acabe|acaba|feche|fecha|encerre|encerra)(?: (?:o programa|cada episódio|"
    r"sempre))* com (.+)",
    phrases={
        "greeting": (
            "Olá e bem-vindos a {show}. Eu sou {me}.",
            "Bem-vindos a {show}. O meu nome é {me}, é bom ter-vos aqui.",
            "Isto é {show}, e eu sou {me}. Obrigado pela companhia.",
        ),
        "greeting_audience": (
            "Olá, {audience}, e bem-vindos a {show}. Eu sou {me}.",
            "Bem-vindos a {show}, {audience}. O meu nome é {me}.",
        ),
        "second_host": (
            "E eu sou {me}. O nosso tema de hoje: {title}.",
            "Eu sou {me}, olá. O episódio de hoje chama-se: {title}.",
            "Olá também da minha parte, eu sou {me}. Desta vez falamos disto: {title}.",
        ),
        "subject": ("O nosso tema de hoje: {title}.", "O episódio de hoje chama-se: {title}.", "Hoje: {title}."),
        "overview": (
            "Vamos chegar a {titles}.",
            "Eis o que temos para hoje: {titles}.",
            "As nossas paragens de hoje são {titles}.",
        ),
        "credit": (
            "O que se vai ouvir vem de {sources}.",
            "Apoiamo-nos em {sources}.",
            "Tudo o que contamos hoje é tirado de {sources}.",
        ),
        "section": (
            "Passemos ao tema seguinte: {title}. {other}, por onde começamos?",
            "Isso traz-nos a isto: {title}. O que é preciso saber, {other}?",
            "O ponto seguinte da nossa lista: {title}. {other}, começas tu?",
            "É a vez do capítulo seguinte: {title}. O que há para contar, {other}?",
            "Avançamos. O título diz: {title}. {other}, tu primeiro.",
            "Abramos a página seguinte: {title}. Como começa, {other}?",
        ),
        "section_first": (
            "Comecemos por isto: {title}. {other}, por onde começamos?",
            "O primeiro ponto da nossa lista: {title}. {other}, o que devemos saber?",
            "É aqui que começamos: {title}. Qual é o início, {other}?",
        ),
        "section_question": (
            "Eis a pergunta seguinte: {title} {other}, o que sabemos?",
            "E isso levanta uma pergunta, {other}: {title}",
            "Então, {other}, a pergunta é esta: {title}",
        ),
        "section_alone": (
            "Chegamos ao tema seguinte: {title}.",
            "A seguir: {title}.",
            "Continuamos com isto: {title}.",
            "O capítulo seguinte: {title}.",
            "Viramos a página: {title}.",
        ),
        "section_question_alone": ("Eis a pergunta seguinte: {title}", "E agora esta pergunta: {title}"),
        "attribution": (
            "Segundo {source}: {fact}",
            "Lemos em {source}: {fact}",
            "Em {source} encontramos isto: {fact}",
            "Isto vem de {source}: {fact}",
            "De {source} tiramos isto: {fact}",
        ),
        "attribution_only": (
            "A nossa fonte diz assim: {fact}",
            "Segundo a nossa fonte: {fact}",
            "É assim que a nossa fonte o conta: {fact}",
        ),
        "quotation": (
            "Nas palavras de {source}: {fact}",
            "E cito {source}: {fact}",
            "Citamos diretamente {source}: {fact}",
        ),
        "reaction": (
            "É bom saber.",
            "Compreendo.",
            "Isso ajuda.",
            "Fiquemos nisto.",
            "Vale a pena lembrar.",
            "Muito bem.",
            "Obrigado, {other}.",
            "Tenho mais sobre isso.",
            "Acrescento uma coisa.",
            "Eu retomo.",
            "Fica anotado.",
            "Bem, aqui vai a minha parte.",
        ),
        "new_point": (
            "Há mais:",
            "Mais um ponto:",
            "Outro pormenor:",
            "E outra coisa:",
            "Eis a parte seguinte:",
            "Algo mais:",
            "Isto também conta:",
        ),
        "onward": ("Segue assim:", "Continuamos:", "E mais adiante:", "Depois lemos:", "O passo seguinte:"),
        "question_new": (
            "O que mais sabemos, {other}?",
            "E para além disso, {other}?",
            "{other}, o que mais há?",
            "O que devemos acrescentar?",
            "E a peça seguinte, {other}?",
            "O que mais cabe aqui, {other}?",
            "{other}, qual é o teu ponto seguinte?",
        ),
        "question_onward": (
            "O que vem a seguir, {other}?",
            "Como continua?",
            "Continuas daqui, {other}?",
            "{other}, é a tua vez.",
            "Qual é o passo seguinte?",
            "Segues tu, {other}?",
        ),
        "term_question": (
            "E {term}, {other}?",
            "{other}, uma palavra sobre este nome: {term}?",
            "O que diz a nossa fonte disto: {term}?",
        ),
        "recap": (
            "O nosso tempo está a acabar. Falámos de {titles}.",
            "Olhemos um momento para trás. Passámos por {titles}.",
            "Em resumo, estas foram as nossas paragens de hoje: {titles}.",
        ),
        "last_thought": (
            "Um último pensamento para levar: {fact}",
            "E é com isto que terminamos: {fact}",
            "Deixamos isto para o fim: {fact}",
        ),
        "sign_off": (
            "Isto foi {show}. Obrigado por ouvir.",
            "Obrigado por passar este tempo com {show}.",
            "Por hoje é tudo de {show}. Foi bom ter-vos connosco.",
        ),
        "goodbye": (
            "Obrigado também da minha parte. Até à próxima.",
            "Adeus também da minha parte, e tudo de bom.",
            "Até ao próximo episódio. Adeus.",
        ),
        "many": ("entre outras coisas {titles}",),
        "summary": ("Neste episódio: {titles}. Segundo {sources}.",),
        "note": ("Nota de planeamento: {note}",),
        "memory": ("Desejo permanente do programa: {note}",),
        "introduction": ("Boas-vindas",),
        "closing": ("Para terminar",),
        "another_angle": ("{title}: {term}", "{title}: mais sobre {term}"),
        "answer_none": ("Este episódio não o diz. Nem ele nem as suas fontes falam disso.",),
        "source": ("a nossa fonte",),
    },
)
