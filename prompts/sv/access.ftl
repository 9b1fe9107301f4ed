# Dialling in: welcome, extension, PIN, counts (fact sheet exchange-um 4.1).

access-welcome = Välkommen till Earcon.
    .spoken = Välkommen till Ir-kån.
access-hello = Hej, { $name }.
access-enter-extension = Slå din anknytning och sedan fyrkant för att nå din brevlåda.
access-contact-somebody = Tryck fyrkant för att nå någon med namn eller anknytning.
access-enter-pin = Slå din PIN-kod och sedan fyrkant.
    .spoken = Slå din pinkod och sedan fyrkant.
access-enter-pin-or-star = Slå din PIN-kod och sedan fyrkant. Om det här inte är din brevlåda, tryck stjärna.
    .spoken = Slå din pinkod och sedan fyrkant. Om det här inte är din brevlåda, tryck stjärna.
access-wrong-pin = Det är inte rätt PIN-kod.
    .spoken = Det är inte rätt pinkod.
access-unknown-extension = Jag hittar ingen brevlåda med den anknytningen.
access-try-again = Försök en gång till.
access-too-many-tries = Det var ett felaktigt försök för mycket. Ring gärna igen senare.
access-locked = Den här brevlådan är låst. Be din administratör att låsa upp den.
access-not-enabled = Din anknytning har ingen brevlåda här.
access-counts-new = { $count ->
    [0] Du har inga nya meddelanden.
    [one] Du har ett nytt meddelande.
   *[other] Du har { $count } nya meddelanden.
}
access-counts-saved = { $count ->
    [0] Det finns inga sparade meddelanden.
    [one] Det finns ett sparat meddelande.
   *[other] Det finns { $count } sparade meddelanden.
}
access-main-menu = Tryck ett för att höra dina meddelanden.
access-goodbye = Tack för att du ringde. Hej då.
access-mailbox-unreachable = Dina meddelanden går inte att nå just nu. Ring gärna igen om en liten stund.
access-pin-expired = Det är dags att välja en ny PIN-kod.
    .spoken = Det är dags att välja en ny pinkod.
access-new-pin = Slå den nya PIN-koden och sedan fyrkant.
    .spoken = Slå den nya pinkoden och sedan fyrkant.
access-confirm-pin = Slå den en gång till och sedan fyrkant.
access-pin-differs = De två var inte likadana.
access-pin-too-short = { $count ->
    [one] Den måste ha minst en siffra.
   *[other] Den måste ha minst { $count } siffror.
}
access-pin-too-simple = Den är för lätt att gissa.
access-pin-used-before = Den har du använt förut.
access-pin-changed = Din nya PIN-kod gäller.
    .spoken = Din nya pinkod gäller.
access-pin-expires = { $count ->
    [0] Din PIN-kod går ut i dag.
    [one] Din PIN-kod går ut om en dag.
   *[other] Din PIN-kod går ut om { $count } dagar.
}
access-pin-not-changed = PIN-koden är den gamla.
    .spoken = pinkoden är den gamla.
access-oof-on = De som ringer hör din frånvarohälsning.
access-oof-off = De som ringer hör din vanliga hälsning igen.
access-main-menu-mail = Tryck två för din e-post.
access-main-menu-calendar = Tryck tre för din kalender.
access-main-menu-contacts = Tryck fyra för att hitta någon av dina kontakter.
access-main-menu-directory = Tryck fyra för att hitta någon.
access-main-menu-compose = Tryck fem för att skicka ett meddelande.
access-main-menu-options = Tryck sex för dina egna inställningar.
access-main-menu-oof = Tryck sju om de som ringer ska höra din vanliga hälsning igen.
access-main-menu-end = Tryck noll för att höra det här igen. Lägg bara på när du är klar.
