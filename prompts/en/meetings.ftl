# The calendar by phone (fact sheet exchange-um 4.4). Days and times are in calendar.ftl.

next-meeting = Your next meeting is { $when }.
meetings-of-day = { $count ->
    [0] You have no meetings { $day }.
    [one] You have one meeting { $day }.
   *[other] You have { $count } meetings { $day }.
}
meeting-times = From { $from } to { $to }.
meeting-span = It begins { $from } and ends { $to }.
meeting-all-day = All day.
meeting-place = Place: { $place }.
meeting-organizer = Called by { $name }.
meeting-accepted = You have accepted.
meeting-tentative = You have accepted tentatively.
meeting-declined = You have declined.
meeting-cancelled = The meeting is cancelled.
meeting-menu = For the next meeting, press pound. For the next day, press pound pound. To hear this one again, press one. To call where it is, press two.
meeting-menu-still = If you are late, press three. For details, press five. For more choices, press zero zero. To hear this again, press zero.
meeting-menu-answer = To accept, press four. To accept tentatively, press four four. To decline, press seven.
meeting-menu-cancel = To cancel it, press seven.
meeting-menu-empty = For the next day, press pound pound. For more choices, press zero zero. To go back, press star.
meeting-more = For the meeting before it, press one one. To call who called it, press two two. For who comes, press five five. To send it on, press six.
meeting-more-still = To clear your calendar, press seven seven. To answer who called it, press eight. To answer everybody, press eight eight.
meeting-no-more = There are no more meetings on this day.
meeting-no-previous = This is the first meeting of the day.
meeting-no-details = There is nothing more about it.
meeting-own = You have called it yourself.
late-ask = How many minutes late will you be? Press the number, then pound.
late-told = { $count ->
    [one] Everybody is told that you will be one minute late.
   *[other] Everybody is told that you will be { $count } minutes late.
}
clear-ask = To clear the next hours, press one. To clear days, press two. To leave the calendar as it is, press star.
clear-hours = How many hours? Press the number, then pound.
clear-days = How many days, counting today? Press the number, then pound.
clear-sure = Your meetings until { $until } are declined, and your own are cancelled. To do that, press one. To leave them, press star.
cleared = Your calendar is clear until { $until }.
not-cleared = The calendar stays as it is.
attends-yes = { $name } comes.
attends-maybe = { $name } may come.
attends-no = { $name } does not come.
attends-open = { $name } has not answered.
attends-nobody = Nobody else is invited.
