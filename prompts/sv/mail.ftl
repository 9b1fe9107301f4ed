# Mail by phone (fact sheet exchange-um 4.3), and what is said where its source does not answer.

mail-count = { $count ->
    [0] Du har ingen oläst e-post.
    [one] Du har ett oläst e-brev.
   *[other] Du har { $count } olästa e-brev.
}
mail-from = E-brev från { $caller }.
mail-from-unknown = E-brev från någon okänd.
mail-subject = Ärende: { $subject }.
mail-no-subject = Utan ärende.
mail-urgent = Det är brådskande.
mail-invitation = Det bjuder in dig till ett möte { $when }.
mail-empty = Det finns ingen text i det.
mail-unreadable = Det här går inte att läsa upp.
mail-menu = Tryck fyrkant för nästa e-brev. Tryck sju för att kasta det här. Tryck åtta för att svara med din röst. Tryck nio för att behålla det som oläst. Tryck noll noll för fler val. Tryck noll för att höra det här igen.
mail-menu-invitation = Tryck fyra för att tacka ja. Tryck fyra fyra för att kanske komma. Tryck sju för att tacka nej.
mail-menu-invited = Tryck fyrkant för nästa e-brev. Tryck åtta för att svara med din röst. Tryck nio för att behålla det som oläst. Tryck noll noll för fler val. Tryck noll för att höra det här igen.
mail-more = Tryck ett för att höra e-brevet igen. Tryck ett ett för e-brevet före. Tryck två för att ringa den som skickade det. Tryck tre för att hitta e-post från någon.
mail-more-still = Tryck fem för när det kom och från vem. Tryck fem fem för ett annat språk. Tryck sex för att skicka det vidare. Tryck fyra fyra för att märka det för senare.
mail-more-conversation = Tryck sju sju för att kasta hela konversationen. Tryck åtta åtta för att svara alla. Tryck nio nio för att inte höra mer av konversationen. Tryck fyrkant fyrkant för nästa olästa e-brev.
mail-end = Slut på e-brevet.
mail-no-more = Det finns ingen mer e-post.
mail-no-previous = Det här är det första e-brevet.
mail-none-from = Det finns ingen e-post från { $name }.
mail-conversation-deleted = Konversationen är kastad.
mail-conversation-hidden = Du hör inget mer av den här konversationen i det här samtalet.
mail-no-reply = E-post går inte att svara på med rösten här.
mail-in-english = Uppläst på engelska.
mail-in-swedish = Uppläst på svenska.
mail-answer-sent = Ditt svar är skickat.
mail-forwarded = Det är skickat vidare.
note-menu = Tryck ett för att skicka det. Tryck två för att lyssna på det. Tryck tre för att tala in det igen. Tryck stjärna för att inte skicka något.
source-unavailable = Det går inte att nå just nu.
source-not-done = Det gick inte att göra.
