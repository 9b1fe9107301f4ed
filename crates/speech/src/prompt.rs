//! The prompts by name. What each one says stands in `prompts/<language>/*.ftl`.

use crate::phrase::{Phrase, Value};

macro_rules! prompts {
    ($($(#[$doc:meta])* $name:ident = $id:literal ( $($argument:ident),* );)*) => {
        /// A sentence of the catalogue. The name of its message is [`Prompt::id`]; what it needs to be whole is
        /// [`Prompt::arguments`], given by [`Prompt::with`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Prompt { $($(#[$doc])* $name,)* }

        impl Prompt {
            /// Every prompt there is.
            pub const ALL: &'static [Prompt] = &[$(Prompt::$name,)*];

            /// The message in the fluent catalogue.
            pub fn id(self) -> &'static str {
                match self { $(Prompt::$name => $id,)* }
            }

            /// The variables that the message speaks.
            pub fn arguments(self) -> &'static [&'static str] {
                match self { $(Prompt::$name => &[$(stringify!($argument)),*],)* }
            }
        }
    };
}

prompts! {
    // answering.ftl
    /// The system's greeting with the person's name.
    Greeting = "answering-greeting" (name);
    GreetingUnnamed = "answering-greeting-unnamed" ();
    /// Said after a person's own greeting, and before recording again.
    RecordAfterTone = "answering-record-after-tone" ();
    ContinueAfterTone = "answering-continue-after-tone" ();
    /// Keys 1 2 3 4 * 0 after a recording.
    AfterRecordMenu = "answering-menu" ();
    /// Keys # 1 2 * 0 after the message was accepted.
    SendMenu = "answering-send-menu" ();
    UrgentOn = "answering-urgent-on" ();
    UrgentOff = "answering-urgent-off" ();
    PrivateOn = "answering-private-on" ();
    PrivateOff = "answering-private-off" ();
    MessageSent = "answering-sent" ();
    MessageCancelled = "answering-cancelled" ();
    NothingHeard = "answering-nothing-heard" ();
    RecordingTooLong = "answering-too-long" ();
    MailboxFull = "answering-mailbox-full" ();
    CannotLeaveMessage = "answering-not-possible" ();
    /// Of a call answering rule without a greeting of its own; then a `RuleKey` for each key, and `RuleMessage`.
    RuleGreeting = "answering-rule" (name);
    RuleKey = "answering-rule-key" (what, key);
    RuleMessage = "answering-rule-message" ();

    // access.ftl
    /// The product's welcome, after the earcon.
    Welcome = "access-welcome" ();
    Hello = "access-hello" (name);
    EnterExtension = "access-enter-extension" ();
    /// For callers without a mailbox.
    ContactSomebody = "access-contact-somebody" ();
    EnterPin = "access-enter-pin" ();
    /// From a person's own phone: the PIN, or star for somebody else.
    EnterPinOrStar = "access-enter-pin-or-star" ();
    WrongPin = "access-wrong-pin" ();
    UnknownExtension = "access-unknown-extension" ();
    TryAgain = "access-try-again" ();
    TooManyTries = "access-too-many-tries" ();
    Locked = "access-locked" ();
    NotEnabled = "access-not-enabled" ();
    /// How many new messages: none, one or `count`.
    CountNew = "access-counts-new" (count);
    CountSaved = "access-counts-saved" (count);
    MainMenu = "access-main-menu" ();
    ThankYouGoodbye = "access-goodbye" ();
    MailboxUnreachable = "access-mailbox-unreachable" ();
    PinExpired = "access-pin-expired" ();
    NewPin = "access-new-pin" ();
    ConfirmPin = "access-confirm-pin" ();
    PinDiffers = "access-pin-differs" ();
    PinTooShort = "access-pin-too-short" (count);
    PinTooSimple = "access-pin-too-simple" ();
    PinUsedBefore = "access-pin-used-before" ();
    PinChanged = "access-pin-changed" ();
    PinExpiresSoon = "access-pin-expires" (count);
    PinNotChanged = "access-pin-not-changed" ();
    OutOfOfficeIsOn = "access-oof-on" ();
    OutOfOfficeOff = "access-oof-off" ();
    MainMenuMail = "access-main-menu-mail" ();
    MainMenuCalendar = "access-main-menu-calendar" ();
    MainMenuContacts = "access-main-menu-contacts" ();
    MainMenuDirectory = "access-main-menu-directory" ();
    MainMenuCompose = "access-main-menu-compose" ();
    MainMenuOptions = "access-main-menu-options" ();
    MainMenuOutOfOfficeOff = "access-main-menu-oof" ();
    MainMenuEnd = "access-main-menu-end" ();

    // player.ftl
    NewMessages = "player-new-messages" ();
    SavedMessages = "player-saved-messages" ();
    /// Opens the header of a message: then Urgent, Private, From, Received.
    NewMessage = "player-new" ();
    SavedMessage = "player-saved" ();
    Urgent = "player-urgent" ();
    Private = "player-private" ();
    From = "player-from" (caller);
    FromUnknown = "player-from-unknown" ();
    Received = "player-received" (when);
    LengthSeconds = "player-length-seconds" (count);
    LengthMinutes = "player-length-minutes" (count);
    /// Keys # 7 9 00 0 after a message.
    PlayerMenu = "player-menu" ();
    /// Keys behind 00.
    PlayerMore = "player-more" ();
    WhilePlaying = "player-while-playing" ();
    Paused = "player-paused" ();
    Deleted = "player-deleted" ();
    MarkedUnread = "player-marked-unread" ();
    EndOfMessage = "player-end" ();
    NoMoreNewMessages = "player-no-more-new" ();
    NoMoreMessages = "player-no-more" ();
    NoPreviousMessage = "player-no-previous" ();
    NoMessages = "player-none" ();
    DamagedMessage = "player-damaged" ();
    PlayerMenuDeleted = "player-menu-deleted" ();
    PlayerDeletedMessage = "player-deleted-message" ();
    PlayerRestored = "player-restored" ();
    PlayerFlagged = "player-flagged" ();
    PlayerUnflagged = "player-unflagged" ();
    PlayerNoReply = "player-no-reply" ();
    PlayerNoCall = "player-no-call" ();
    PlayerNotForwarded = "player-not-forwarded" ();

    // compose.ftl
    ComposeTo = "compose-to" (name);
    ComposeToMany = "compose-to-many" (count);
    ComposeNobody = "compose-nobody" ();
    ComposeMenu = "compose-menu" ();
    ComposeAdded = "compose-added" ();
    ComposeAlready = "compose-already" ();
    ComposeTooMany = "compose-too-many" ();
    ComposeRemoved = "compose-removed" (name);
    ComposeComment = "compose-comment" ();
    ComposeGroupEmpty = "compose-group-empty" (name);
    ComposeNotAllowed = "compose-not-allowed" (name);

    // person.ftl
    PersonMenu = "person-menu" ();

    // options.ftl
    /// Keys 1 to 3 of the personal options; then the others.
    OptionsMenu = "options-menu" ();
    OptionsMenuMore = "options-menu-more" ();
    VoicePreferred = "options-voice" ();
    KeysPreferred = "options-keys" ();
    TwelveHours = "options-twelve" ();
    TwentyFourHours = "options-twenty-four" ();
    TimeNow = "options-time-now" (time);
    EnterTime = "options-enter-time" ();
    TimeZoneChoice = "options-zone-choice" (city, key);
    TimeZoneIs = "options-zone-is" (city);
    NoTimeZone = "options-no-zone" ();

    // greetings.ftl
    GreetingsMenu = "greetings-menu" ();
    GreetingMenu = "greetings-one" ();
    GreetingChoose = "greetings-choose" ();
    GreetingNone = "greetings-none" ();
    GreetingOwnOn = "greetings-own" ();
    GreetingOwnOff = "greetings-standard" ();
    GreetingRemoved = "greetings-removed" ();
    GreetingKept = "greetings-kept" ();
    GreetingSpeak = "greetings-speak" ();
    GreetingSpeakName = "greetings-speak-name" ();
    GreetingKeepMenu = "greetings-keep" ();
    SetUpWelcome = "greetings-set-up" ();
    SetUpGreeting = "greetings-set-up-greeting" ();
    SetUpDone = "greetings-set-up-done" ();

    // attendant.ftl
    AttendantWelcome = "attendant-welcome" ();
    /// With the business name, which needs a text to speech back end or a recording.
    AttendantWelcomeBusiness = "attendant-welcome-business" (business);
    AttendantEnterExtension = "attendant-enter-extension" ();
    AttendantSearch = "attendant-search" ();
    AttendantOperator = "attendant-operator" ();
    NoOperator = "attendant-no-operator" ();
    InvalidExtension = "attendant-invalid-extension" ();
    TransferNotAllowed = "attendant-not-allowed" ();
    Transferring = "attendant-transferring" ();
    TransferringTo = "attendant-transferring-to" (name);
    TransferFailed = "attendant-transfer-failed" ();
    Busy = "attendant-busy" ();
    NoAnswer = "attendant-no-answer" ();
    /// After hours, behind the welcome.
    AttendantClosed = "attendant-closed" ();
    AttendantHoliday = "attendant-holiday" ();
    /// A key of the attendant's menu, by the name that it was given.
    AttendantKey = "attendant-key" (name, key);
    AttendantKeyHours = "attendant-key-hours" (key);
    AttendantKeyLocation = "attendant-key-location" (key);
    /// Where `*` leads to voice access.
    AttendantAccess = "attendant-access" ();
    AttendantLocation = "attendant-location" (location);
    AttendantNoLocation = "attendant-no-location" ();
    HoursAlways = "attendant-hours-always" ();
    /// Opens the hours: then HoursDay or HoursDays, each followed by HoursFrom and perhaps HoursAndFrom.
    Hours = "attendant-hours" ();
    HoursDay = "attendant-hours-day" (day);
    HoursDays = "attendant-hours-days" (first, last);
    HoursFrom = "attendant-hours-from" (from, to);
    HoursAndFrom = "attendant-hours-and-from" (from, to);
    NumberNotAllowed = "attendant-number-not-allowed" ();

    // outcall.ftl
    /// Said to somebody whom the server rings for a caller, then the keys.
    FindMe = "outcall-find-me" (caller);
    FindMeUnknown = "outcall-find-me-unknown" ();
    FindMeMenu = "outcall-find-me-menu" ();
    FindMeGone = "outcall-find-me-gone" ();
    /// Play on phone: before the message, and after it.
    PlayOnPhone = "outcall-play-on-phone" ();
    PlayOnPhoneMenu = "outcall-play-on-phone-menu" ();
    /// Recording a greeting or a prompt: how, and what then.
    RecordIt = "outcall-record" ();
    RecordedMenu = "outcall-recorded-menu" ();
    RecordingSaved = "outcall-saved" ();
    RecordingNotSaved = "outcall-not-saved" ();

    // search.ftl
    SearchLastFirst = "search-last-first" ();
    SearchFirstLast = "search-first-last" ();
    SearchAlias = "search-alias" ();
    SearchNobody = "search-nobody" ();
    SearchTooMany = "search-too-many" ();
    /// One of several people, with the key that chooses.
    SearchChoice = "search-choice" (name, key);
    SearchChoiceDetail = "search-choice-detail" (name, detail, key);
    SearchAgain = "search-again" ();
    SearchCallOrMessage = "search-call-or-message" (name);

    // mail.ftl
    MailCount = "mail-count" (count);
    /// Opens a mail: then its subject.
    MailFrom = "mail-from" (caller);
    MailFromUnknown = "mail-from-unknown" ();
    MailSubject = "mail-subject" (subject);
    MailNoSubject = "mail-no-subject" ();
    MailUrgent = "mail-urgent" ();
    MailInvitation = "mail-invitation" (when);
    MailEmpty = "mail-empty" ();
    MailUnreadable = "mail-unreadable" ();
    /// Keys # 7 8 9 00 0 after a mail.
    MailMenu = "mail-menu" ();
    /// The same where it invites.
    MailMenuInvitation = "mail-menu-invitation" ();
    MailMenuInvited = "mail-menu-invited" ();
    /// Keys behind 00.
    MailMore = "mail-more" ();
    MailMoreStill = "mail-more-still" ();
    MailMoreConversation = "mail-more-conversation" ();
    MailEnd = "mail-end" ();
    MailNoMore = "mail-no-more" ();
    MailNoPrevious = "mail-no-previous" ();
    MailNoneFrom = "mail-none-from" (name);
    MailConversationDeleted = "mail-conversation-deleted" ();
    MailConversationHidden = "mail-conversation-hidden" ();
    MailNoReply = "mail-no-reply" ();
    MailInEnglish = "mail-in-english" ();
    MailInSwedish = "mail-in-swedish" ();
    MailAnswerSent = "mail-answer-sent" ();
    MailForwarded = "mail-forwarded" ();
    /// Keys 1 2 3 * after an answer was recorded.
    NoteMenu = "note-menu" ();
    /// Mail, calendar or contacts do not answer.
    SourceUnavailable = "source-unavailable" ();
    SourceNotDone = "source-not-done" ();

    // meetings.ftl
    NextMeeting = "next-meeting" (when);
    MeetingsOfDay = "meetings-of-day" (count, day);
    /// Of one day; then where, and who called it.
    MeetingTimes = "meeting-times" (from, to);
    /// Over several days.
    MeetingSpan = "meeting-span" (from, to);
    MeetingAllDay = "meeting-all-day" ();
    MeetingPlace = "meeting-place" (place);
    MeetingOrganizer = "meeting-organizer" (name);
    MeetingAccepted = "meeting-accepted" ();
    MeetingTentative = "meeting-tentative" ();
    MeetingDeclined = "meeting-declined" ();
    MeetingCancelled = "meeting-cancelled" ();
    /// Keys after a meeting.
    MeetingMenu = "meeting-menu" ();
    MeetingMenuStill = "meeting-menu-still" ();
    MeetingMenuAnswer = "meeting-menu-answer" ();
    MeetingMenuCancel = "meeting-menu-cancel" ();
    /// On a day without meetings.
    MeetingMenuEmpty = "meeting-menu-empty" ();
    /// Keys behind 00.
    MeetingMore = "meeting-more" ();
    MeetingMoreStill = "meeting-more-still" ();
    MeetingNoMore = "meeting-no-more" ();
    MeetingNoPrevious = "meeting-no-previous" ();
    MeetingNoDetails = "meeting-no-details" ();
    MeetingOwn = "meeting-own" ();
    LateAsk = "late-ask" ();
    LateTold = "late-told" (count);
    ClearAsk = "clear-ask" ();
    ClearHours = "clear-hours" ();
    ClearDays = "clear-days" ();
    ClearSure = "clear-sure" (until);
    Cleared = "cleared" (until);
    NotCleared = "not-cleared" ();
    AttendsYes = "attends-yes" (name);
    AttendsMaybe = "attends-maybe" (name);
    AttendsNo = "attends-no" (name);
    AttendsOpen = "attends-open" (name);
    AttendsNobody = "attends-nobody" ();

    // contacts.ftl
    ContactSpell = "contact-spell" ();
    ContactDirectory = "contact-directory" ();
    /// Keys 1 to 4 0 * of a contact.
    ContactMenu = "contact-menu" ();
    /// Which number to call.
    ContactCallMobile = "contact-call-mobile" ();
    ContactCallOffice = "contact-call-office" ();
    ContactCallHome = "contact-call-home" ();
    ContactMobile = "contact-mobile" (digits);
    ContactOffice = "contact-office" (digits);
    ContactHome = "contact-home" (digits);
    ContactCompany = "contact-company" (company);
    ContactNoDetails = "contact-no-details" ();
    ContactNoMailbox = "contact-no-mailbox" ();

    // voice.ftl
    /// Then the words that may be said.
    VoiceSay = "voice-say" ();
    VoiceOrKeys = "voice-or-keys" ();
    VoiceSayName = "voice-say-name" ();
    VoiceAttendant = "voice-attendant" ();
    VoiceNotUnderstood = "voice-not-understood" ();
    VoiceAgain = "voice-again" ();
    /// Then what was understood, and VoiceYesOrNo.
    VoiceDidYouSay = "voice-did-you-say" ();
    VoiceYesOrNo = "voice-yes-or-no" ();
    /// From here on by keys only.
    VoiceKeys = "voice-keys" ();
    VoiceUnavailable = "voice-unavailable" ();

    // common.ftl
    InvalidKey = "common-invalid-key" ();
    NoInput = "common-no-input" ();
    StillThere = "common-still-there" ();
    Error = "common-error" ();
    Goodbye = "common-goodbye" ();
    TooManyFailures = "common-too-many-failures" ();
    AllLinesBusy = "common-busy" ();
    Extension = "common-extension" (digits);
    OneMoment = "common-one-moment" ();
}

impl Prompt {
    /// The prompt with a value for one of its [`arguments`](Prompt::arguments).
    pub fn with(self, argument: &'static str, value: impl Into<Value>) -> Phrase {
        Phrase::Prompt(self, vec![(argument, value.into())])
    }
}
