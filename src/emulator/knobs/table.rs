//! The table itself. The defaults are what is documented or, where nothing is, what is likeliest.

use super::value::{Value, choices, knobs};
use super::{Count, Knob, KnobError, Limit, Signed};

choices! {
    Switch { Off "off", On "on" }
    Presence { Present "present", Absent "absent" }
    ErrorShape { Envelope "envelope", Detail "detail", Error "error" }
    NotFoundText { Workspace "Workspace not found", Plain "Not Found", Empty "empty" }
    Unauthorized { Unauthorized "401", Forbidden "403" }
    T1Refusal { BadRequest "400", Unauthorized "401", Forbidden "403" }
    OrganizationRefusal { BadRequest "400", Forbidden "403", NotFound "404", Unprocessable "422" }
    T1Organization { Present "present", Null "null", Absent "absent" }
    Subscription { Active "active", Unauthorized "401", Forbidden "403" }
    Role { Admin "admin", Member "member" }
    Rotation { Kept "kept", Revoked "revoked" }
    TokenForm { Jwt "jwt", Opaque "opaque" }
    Acceptance { Accepted "accepted", Refused "422" }
    Charset { Any "any", Printable "printable" }
    NameCase { Exact "exact", Folded "folded" }
    Normalization { None "none", Nfc "nfc" }
    RenameConflict { BadRequest "400", Conflict "409", Unprocessable "422", ServerError "500", Duplicate "allow-duplicate" }
    DeletedGet { NotFound "404", Gone "410", Tombstone "200-tombstone" }
    DeletedDelete { NotFound "404", Gone "410", Ok "200" }
    DefaultProtected { None "none", BadRequest "400", Forbidden "403", Conflict "409" }
    RemintDeleted { New "new", Revive "revive", Error "error" }
    MintInactive { Ok "ok", Forbidden "403", Reactivate "reactivate" }
    MintAmbiguous { Oldest "oldest", Newest "newest", ServerError "500" }
    ConcurrentMint { One "one", Duplicates "duplicates" }
    TokenAfterRename { Valid "valid", Unauthorized "401" }
    TokenAfterInactive { Valid "valid", Forbidden "403" }
    TokenAfterDelete { Valid "valid", Unauthorized "401", Forbidden "403", NotFound "404" }
    InfoName { Current "current", AtMint "at-mint" }
    InfoRefusal { BadRequest "400", Unauthorized "401", Forbidden "403" }
    RegionUnknown { Ignored "ignored", Refused "422" }
    RegionEu { Honoured "honoured", Us "us", Refused "422" }
    PutEmpty { Ok "200", Refused "422" }
    PutMember { Ignored "ignored", Refused "422" }
    NullCache { Inherit "inherit", Ignored "ignored" }
    NoopUpdate { Moves "moves", Kept "kept" }
    Reactivation { Disabled "disabled", Restored "restored" }
    CloudAdoption { Adopt "adopt", Create "create" }
    ListOrder { Created "created", Newest "newest", Name "name", Id "id" }
    ListTombstones { Omitted "omitted", Included "included" }
    NextStyle { Absolute "absolute", Relative "relative", Cursor "cursor", EmptyString "empty-string", Absent "absent",
        ForeignHost "foreign-host" }
    NextFilters { Kept "kept", Dropped "dropped" }
    CursorStyle { Offset "offset", Keyset "keyset" }
    SpecialCharacters { Literal "literal", Wildcard "wildcard" }
    BlankFilter { All "all", None "none", Refused "422" }
    RetryAfter { Int "int", Date "date", Absent "absent", Zero "zero", Huge "huge" }
    PlanRefusal { PaymentRequired "402", Forbidden "403", Conflict "409", Unprocessable "422" }
    HiddenMint { Forbidden "403", Token "token", Duplicate "duplicate" }
    HiddenGet { NotFound "404", Forbidden "403", Ok "200" }
    CacheEnabled { Null "null", True "true", False "false" }
    Visibility { Shared "shared", Private "private", Absent "absent" }
    WorkspaceMembers { All "all", Minimal "minimal", Extended "extended" }
    StatsScope { Live "live", Visible "visible", WithTombstones "with-tombstones" }
    AfterCommit { Answer "answer", ServerError "500", BadGateway "502", Lost "lost" }
    SlowDelete { Off "off", Timeout "504-then-done" }
    DateHeader { Exact "exact", Absent "absent", Skewed "skewed" }
    CreatedAt { Microseconds "microseconds", Seconds "seconds", Absent "absent" }
}

knobs! {
    error_shape: ErrorShape = ErrorShape::Envelope, "–", "Body of an error: `message` with `errors`, the older `detail`, or `error` with `message`";
    not_found_text: NotFoundText = NotFoundText::Workspace, "U31", "W3, W4, W5: text of a 404 or 410, in the shape that `error_shape` says; `empty` is no text";
    missing_bearer: Unauthorized = Unauthorized::Unauthorized, "U19", "Answer to a call without `Authorization`";
    bad_bearer: Unauthorized = Unauthorized::Unauthorized, "U19", "Answer to a token that is forged, expired or revoked";
    www_authenticate: Presence = Presence::Absent, "U19", "`WWW-Authenticate` beside a 401";
    organization_foreign: OrganizationRefusal = OrganizationRefusal::Forbidden, "U19", "Answer to an `X-Organization-Id` of another organization";
    organization_malformed: OrganizationRefusal = OrganizationRefusal::Unprocessable, "U19", "Answer to an `X-Organization-Id` that is no UUID";
    t1_refusal: T1Refusal = T1Refusal::Unauthorized, "U20", "T1: answer to a wrong pair of credentials";
    t1_organization: T1Organization = T1Organization::Present, "–", "T1: the member `organization_id`";
    expires_in: Count = Count(900), "–", "T1: life of an application token, seconds";
    expires_in_said: Limit = Limit::None, "–", "T1: what `expires_in` claims instead of the truth, seconds";
    rotation: Rotation = Rotation::Kept, "U23", "Whether application tokens survive a new secret";
    subscription: Subscription = Subscription::Active, "U24", "A lost plan refuses every call but T1";
    role: Role = Role::Admin, "U24", "As `member` the credentials may read, while T2, T4, W4 and W5 give 403";
    token_form: TokenForm = TokenForm::Jwt, "U22", "Tokens that look like JWTs, or opaque texts";
    exp_claim: Presence = Presence::Present, "U22", "The claim `exp` in tokens; they expire either way";
    scoped_ttl: Count = Count(1200), "–", "T2, T4: life of a scoped token, seconds";
    scoped_after_rename: TokenAfterRename = TokenAfterRename::Valid, "U8", "A scoped token whose workspace was renamed since";
    scoped_after_inactive: TokenAfterInactive = TokenAfterInactive::Valid, "U8", "A scoped token while its workspace is inactive";
    scoped_after_delete: TokenAfterDelete = TokenAfterDelete::Unauthorized, "U8", "A scoped token whose workspace was deleted";
    scoped_on_workspaces: Unauthorized = Unauthorized::Forbidden, "U10", "A scoped token where an application token is wanted";
    info_name: InfoName = InfoName::Current, "U9", "T3: the name after a rename";
    info_application_token: InfoRefusal = InfoRefusal::Unauthorized, "U9", "T3: answer to an application token";
    info_expired: InfoRefusal = InfoRefusal::Unauthorized, "U9", "T3: answer to an expired scoped token";
    legacy_paths: Switch = Switch::On, "U21", "The older paths of T2, T3 and T4 answer";
    current_paths: Switch = Switch::On, "U21", "The current paths of T2, T3 and T4 answer";
    name_trim: Switch = Switch::Off, "U1", "Blanks around a name are cut off";
    name_normalization: Normalization = Normalization::None, "U1", "Names are brought to Unicode NFC";
    name_case: NameCase = NameCase::Exact, "U1", "Whether names that differ only in case are one";
    name_empty: Acceptance = Acceptance::Refused, "U1", "A name without characters";
    name_max: Limit = Limit::None, "U1", "A name with more characters gives 422";
    name_charset: Charset = Charset::Any, "U1", "With `printable`, control characters give 422";
    mint_inactive: MintInactive = MintInactive::Ok, "U7", "T2 for an inactive workspace";
    mint_ambiguous: MintAmbiguous = MintAmbiguous::Oldest, "U2 U15", "T2 for a name that several workspaces have";
    concurrent_mint: ConcurrentMint = ConcurrentMint::One, "U15", "With `duplicates`, T2 looks for the name when the request arrives, so that two overlapping ones create two; it takes 100 ms of real time to create one";
    remint_deleted: RemintDeleted = RemintDeleted::New, "U6", "T2 for the name of a deleted workspace; `error` is 409";
    name_release_ms: Count = Count(0), "U6", "A deleted workspace's name stays taken that long: T2 gives 409";
    plan_limit: Limit = Limit::None, "U18", "T2 creates no more than this many live workspaces in an organization";
    plan_refusal: PlanRefusal = PlanRefusal::Forbidden, "U18 U29", "T2: answer beyond the plan's limit";
    hidden_mint: HiddenMint = HiddenMint::Forbidden, "U24", "T2 for the name of a workspace that the credentials cannot see";
    hidden_get: HiddenGet = HiddenGet::NotFound, "U24", "W3, W4, W5 for a workspace that the credentials cannot see";
    cloud_adoption: CloudAdoption = CloudAdoption::Adopt, "U14", "T2 for a name that only Airbyte Cloud knows: takes that workspace, or creates another";
    region_unknown: RegionUnknown = RegionUnknown::Ignored, "U11", "T2, T4: a `region_id` that is no known region";
    region_conflict: RegionUnknown = RegionUnknown::Ignored, "U11", "T2, T4: a `region_id` other than the existing workspace's";
    region_eu: RegionEu = RegionEu::Honoured, "U11", "T2, T4: the European region";
    cache_enabled_new: CacheEnabled = CacheEnabled::Null, "U25", "`cache_enabled` of a new workspace";
    visibility: Visibility = Visibility::Shared, "U30", "The member `visibility`";
    workspace_members: WorkspaceMembers = WorkspaceMembers::All, "U30", "Members of a workspace: all, only `id` and `name`, or all and some undocumented ones";
    created_at: CreatedAt = CreatedAt::Microseconds, "–", "Form of `created_at` and `updated_at`; `absent` leaves `created_at` out";
    list_order: ListOrder = ListOrder::Created, "U16", "W1: order of the rows";
    list_lag_ms: Count = Count(0), "U14 U16", "W1: a creation, change or deletion shows that much later";
    list_tombstones: ListTombstones = ListTombstones::Omitted, "–", "W1: whether deleted workspaces are listed, with `tombstone` true";
    next_style: NextStyle = NextStyle::Absolute, "U16", "W1: form of `next`; with `empty-string` and `absent` the last page says so in that way instead of null";
    next_filters: NextFilters = NextFilters::Kept, "U16", "W1: whether a `next` URL repeats filters and limit";
    cursor_style: CursorStyle = CursorStyle::Offset, "U16", "W1: a cursor counts rows, so that changes in between skip or repeat some, or it names the last row";
    cursor_life: Limit = Limit::None, "U16", "W1: an older cursor gives 400, seconds";
    special_characters: SpecialCharacters = SpecialCharacters::Literal, "U16", "W1: `%` and `_` in `name_contains`";
    blank_filter: BlankFilter = BlankFilter::All, "U16", "W1: an empty `name_contains`";
    get_lag_ms: Count = Count(0), "U14", "W3: a new workspace gives 404 that long";
    deleted_get: DeletedGet = DeletedGet::NotFound, "U3", "W3 for a deleted workspace";
    rename_conflict: RenameConflict = RenameConflict::Conflict, "U2 U29", "W4: rename to a name that is taken";
    default_protected: DefaultProtected = DefaultProtected::None, "U5 U29", "W4, W5: rename, deactivation or deletion of `default`";
    put_empty: PutEmpty = PutEmpty::Ok, "U12", "W4: an empty object";
    put_null: PutMember = PutMember::Ignored, "U12", "W4: null for `name` or `status`";
    put_unknown_member: PutMember = PutMember::Ignored, "U12", "W4: an undocumented member";
    null_cache: NullCache = NullCache::Inherit, "U12 U25", "W4: null for `cache_enabled`";
    noop_update: NoopUpdate = NoopUpdate::Moves, "U12", "W4: `updated_at` when nothing changes";
    reactivation: Reactivation = Reactivation::Disabled, "U13", "W4: connectors after `inactive` and `active` again";
    deleted_delete: DeletedDelete = DeletedDelete::NotFound, "U4", "W5 for a deleted workspace";
    slow_delete: SlowDelete = SlowDelete::Off, "U28", "W5: 504 at once, and the deletion done `slow_delete_ms` later";
    slow_delete_ms: Count = Count(2000), "U28", "How long a slow deletion takes";
    cloud_delete_mirror: Limit = Limit::At(0), "U26", "A deletion in Airbyte Cloud shows here this many milliseconds later, or never";
    stats_scope: StatsScope = StatsScope::Live, "U27", "W2: what is counted";
    stats_lag_ms: Count = Count(0), "U27", "W2: a creation, change or deletion counts that much later";
    rate_limit: Limit = Limit::None, "U17", "Calls of an organization per minute; beyond that 429";
    retry_after: RetryAfter = RetryAfter::Int, "U17", "`Retry-After` beside a 429";
    rate_limit_headers: Presence = Presence::Absent, "U17", "`X-RateLimit-Limit`, `-Remaining` and `-Reset`";
    after_commit: AfterCommit = AfterCommit::Answer, "U28", "T2, T4, W4, W5: the work is done, and then this is the answer; `lost` closes the connection";
    date: DateHeader = DateHeader::Exact, "–", "The `Date` header";
    date_skew: Signed = Signed(300), "–", "By how much a skewed `Date` is ahead, seconds";
    latency_ms: Count = Count(0), "–", "Every call of the API waits this long first, in real time";
}
