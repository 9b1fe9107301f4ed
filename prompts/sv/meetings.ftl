# The calendar by phone (fact sheet exchange-um 4.4). Days and times are in calendar.ftl.

next-meeting = Ditt nästa möte är { $when }.
meetings-of-day = { $count ->
    [0] Du har inga möten { $day }.
    [one] Du har ett möte { $day }.
   *[other] Du har { $count } möten { $day }.
}
meeting-times = Från { $from } till { $to }.
meeting-span = Det börjar { $from } och slutar { $to }.
meeting-all-day = Hela dagen.
meeting-place = Plats: { $place }.
meeting-organizer = Sammankallat av { $name }.
meeting-accepted = Du har tackat ja.
meeting-tentative = Du kommer kanske.
meeting-declined = Du har tackat nej.
meeting-cancelled = Mötet är inställt.
meeting-menu = Tryck fyrkant för nästa möte. Tryck fyrkant fyrkant för nästa dag. Tryck ett för att höra det här igen. Tryck två för att ringa dit.
meeting-menu-still = Tryck tre om du blir sen. Tryck fem för mer om mötet. Tryck noll noll för fler val. Tryck noll för att höra det här igen.
meeting-menu-answer = Tryck fyra för att tacka ja. Tryck fyra fyra för att kanske komma. Tryck sju för att tacka nej.
meeting-menu-cancel = Tryck sju för att ställa in det.
meeting-menu-empty = Tryck fyrkant fyrkant för nästa dag. Tryck noll noll för fler val. Tryck stjärna för att gå tillbaka.
meeting-more = Tryck ett ett för mötet före. Tryck två två för att ringa den som kallade. Tryck fem fem för vilka som kommer. Tryck sex för att skicka det vidare.
meeting-more-still = Tryck sju sju för att tömma din kalender. Tryck åtta för att svara den som kallade. Tryck åtta åtta för att svara alla.
meeting-no-more = Det finns inga fler möten den här dagen.
meeting-no-previous = Det här är dagens första möte.
meeting-no-details = Det finns inget mer om det.
meeting-own = Du har själv kallat till det.
late-ask = Hur många minuter sen blir du? Slå antalet och sedan fyrkant.
late-told = { $count ->
    [one] Alla får veta att du blir en minut sen.
   *[other] Alla får veta att du blir { $count } minuter sen.
}
clear-ask = Tryck ett för att tömma de närmaste timmarna. Tryck två för att tömma dagar. Tryck stjärna för att låta kalendern vara.
clear-hours = Hur många timmar? Slå antalet och sedan fyrkant.
clear-days = Hur många dagar, i dag medräknad? Slå antalet och sedan fyrkant.
clear-sure = Du tackar nej till dina möten till { $until }, och dina egna ställs in. Tryck ett för att göra det. Tryck stjärna för att låta bli.
cleared = Din kalender är tom till { $until }.
not-cleared = Kalendern är som den var.
attends-yes = { $name } kommer.
attends-maybe = { $name } kommer kanske.
attends-no = { $name } kommer inte.
attends-open = { $name } har inte svarat.
attends-nobody = Ingen annan är inbjuden.
