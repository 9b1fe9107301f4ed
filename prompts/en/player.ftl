# Listening to messages (keys: fact sheet exchange-um 4.3).

player-new-messages = Here are your new messages.
player-saved-messages = Here are your saved messages.
player-new = New message,
player-saved = Saved message,
player-urgent = urgent,
player-private = private,
player-from = from { $caller }.
player-from-unknown = from an unknown caller.
player-received = Received { $when }.
player-length-seconds = { $count ->
    [one] It is one second long.
   *[other] It is { $count } seconds long.
}
player-length-minutes = { $count ->
    [one] It is one minute long.
   *[other] It is { $count } minutes long.
}
player-menu = For the next message, press pound. To delete this one, press seven. To answer it, press eight. To keep it as new, press nine. For more choices, press zero zero. To hear this again, press zero.
player-more = To hear the message again, press one. For the message before it, press one one. To call who left it, press two. For when it came and from whom, press five. To send it on, press six. To mark it for later, press four four.
player-while-playing = While a message plays, one goes back, two stops and goes on, three goes forward, and three three goes to the end.
player-paused = Stopped. To go on, press two.
player-deleted = Deleted.
player-marked-unread = Kept as new.
player-end = End of message.
player-no-more-new = There are no more new messages.
player-no-more = There are no more messages.
player-no-previous = This is the first message.
player-none = You have no messages.
player-damaged = This message can't be played.
player-menu-deleted = To bring this message back, press seven. For the next message, press pound. For more choices, press zero zero. To hear this again, press zero.
player-deleted-message = Deleted message,
player-restored = Brought back.
player-flagged = Marked for later.
player-unflagged = It is no longer marked for later.
player-no-reply = This message can't be answered: who left it has no mailbox here.
player-no-call = There is no number that can be called.
player-not-forwarded = This message is private, and can't be sent on.
