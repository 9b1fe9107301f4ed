# Heard in every menu.

common-invalid-key = Den knappen gör ingenting här.
common-no-input = Jag hörde ingen knapp.
common-still-there = Är du kvar?
common-error = Något gick tyvärr fel. Ring gärna igen senare.
common-goodbye = Hej då.
common-too-many-failures = Vi låter det vara för den här gången. Hej då.
common-busy = Alla linjer är upptagna. Ring gärna igen om en liten stund.
common-extension = anknytning { $digits }
common-one-moment = Ett ögonblick.
