# Listening to messages (keys: fact sheet exchange-um 4.3).

player-new-messages = Här är dina nya meddelanden.
player-saved-messages = Här är dina sparade meddelanden.
player-new = Nytt meddelande,
player-saved = Sparat meddelande,
player-urgent = brådskande,
player-private = privat,
player-from = från { $caller }.
player-from-unknown = från någon okänd.
player-received = Det kom { $when }.
player-length-seconds = { $count ->
    [one] Det är en sekund långt.
   *[other] Det är { $count } sekunder långt.
}
player-length-minutes = { $count ->
    [one] Det är en minut långt.
   *[other] Det är { $count } minuter långt.
}
player-menu = Tryck fyrkant för nästa meddelande. Tryck sju för att kasta det här. Tryck åtta för att svara på det. Tryck nio för att behålla det som nytt. Tryck noll noll för fler val. Tryck noll för att höra det här igen.
player-more = Tryck ett för att höra meddelandet igen. Tryck ett ett för meddelandet före. Tryck två för att ringa den som lämnade det. Tryck fem för när det kom och från vem. Tryck sex för att skicka det vidare. Tryck fyra fyra för att märka det för senare.
player-while-playing = Medan ett meddelande spelas går ett bakåt, två stannar och fortsätter, tre går framåt, och tre tre går till slutet.
player-paused = Stannat. Tryck två för att fortsätta.
player-deleted = Kastat.
player-marked-unread = Behållet som nytt.
player-end = Slut på meddelandet.
player-no-more-new = Det finns inga fler nya meddelanden.
player-no-more = Det finns inga fler meddelanden.
player-no-previous = Det här är det första meddelandet.
player-none = Du har inga meddelanden.
player-damaged = Det här meddelandet går inte att spela upp.
player-menu-deleted = Tryck sju för att ta tillbaka det här meddelandet. Tryck fyrkant för nästa meddelande. Tryck noll noll för fler val. Tryck noll för att höra det här igen.
player-deleted-message = Kastat meddelande,
player-restored = Tillbakataget.
player-flagged = Märkt för senare.
player-unflagged = Det är inte längre märkt för senare.
player-no-reply = Det här meddelandet går inte att svara på. Den som lämnade det har ingen brevlåda här.
player-no-call = Det finns inget nummer som går att ringa.
player-not-forwarded = Det här meddelandet är privat och går inte att skicka vidare.
