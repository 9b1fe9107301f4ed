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
player-menu = Tryck fyrkant för nästa meddelande. Tryck sju för att kasta det här. Tryck nio för att behålla det som nytt. Tryck noll noll för fler val. Tryck noll för att höra det här igen.
player-more = Tryck noll noll, ett, för att höra meddelandet igen. Tryck noll noll, fem, för när det kom och från vem. Tryck noll noll, ett ett, för meddelandet före.
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
