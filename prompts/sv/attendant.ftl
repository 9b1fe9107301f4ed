# The auto attendant, and transfers.

attendant-welcome = Hej, och tack för att du ringer.
attendant-welcome-business = Hej, och tack för att du ringer { $business }.
attendant-enter-extension = Slå anknytningen till den som du vill nå.
attendant-search = Tryck fyrkant för att söka på namn.
attendant-operator = Tryck noll för att nå telefonisten.
attendant-no-operator = Det finns ingen telefonist här.
attendant-invalid-extension = Jag hittar ingen med den anknytningen.
attendant-not-allowed = Jag får inte koppla dig till den anknytningen.
attendant-transferring = Ett ögonblick. Jag kopplar dig.
attendant-transferring-to = Ett ögonblick. Jag kopplar dig till { $name }.
attendant-transfer-failed = Det samtalet gick tyvärr inte fram.
attendant-busy = Där är det upptaget.
attendant-no-answer = Ingen svarar där.
