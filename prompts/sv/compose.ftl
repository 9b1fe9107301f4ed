# A message of a user to others (fact sheet exchange-um 4.6).

compose-to = Ditt meddelande går till { $name }.
compose-to-many = { $count ->
    [one] Ditt meddelande går till en person.
   *[other] Ditt meddelande går till { $count } personer.
}
compose-nobody = Ditt meddelande går inte till någon än.
compose-menu = Tryck ett för att tala in det. Tryck två för att lägga till någon. Tryck tre för att ta bort någon. Tryck stjärna för att gå tillbaka. Tryck noll för att höra det här igen.
compose-added = Tillagd.
compose-already = Den finns redan med.
compose-too-many = Det finns inte plats för fler.
compose-removed = { $name } är borttagen.
compose-comment = Säg vad du vill lägga till efter tonen, och tryck fyrkant. Tryck fyrkant genast för att inte lägga till något.
compose-group-empty = Det finns ingen i { $name }.
compose-not-allowed = Du får inte skicka meddelanden till { $name }.
