// What the API answers, written by `make types` from the description of the API: change that, not this.
// Instants are ISO-8601 in UTC.
//
// The keys of a `Record` are text that somebody else chose, `__proto__` and `constructor` among it: they are read by
// `Object.entries`, never by name.

/** A device (or what else a client identifies itself as) that runs under a licence, or did.

The audit log names it by its `id`. */
export interface Activation {
  id: string;
  identifier: string;
  state: ActivationState;
  first_seen: string;
  last_seen: string;
}

/** Some activations. */
export interface ActivationPage {
  items: Activation[];
}

/** Activations are never deleted. */
export type ActivationState = "active" | "inactive";

/** Licence calls of the window. `granted`: those that were refused nothing. */
export interface Activations {
  granted: number;
  blocked: number;
  codes: LicensingCalls[];
}

/** Distinct users and devices of a UTC day, and distinct users of the 7 and 30 days that end with it. */
export interface ActiveUsersOfDay {
  day: string;
  users: number;
  devices: number;
  users_7: number;
  users_30: number;
  closed: boolean;
}

/** How much a use tells of a product's value to whom it is counted for, as its vendor sees it. */
export type ActivityLevel = "primary" | "secondary";

/** The uses of an activity type in the window. `~other` is all types without a name here, `~unknown` is none. */
export interface ActivityTypeUses {
  activity_type: string;
  /** Whether the product lists the type now. `CALL_HOME` needs no listing. */
  configured: boolean;
  label: string | null;
  /** As the product has them; null where it does not list the type. */
  level: ActivityLevel | null;
  uses: number;
  first_day: string | null;
  /** The first and the last UTC day of the window with any; null for a listed type that never arrived in it. */
  last_day: string | null;
}

/** Activity types of a product's usage in the last 90 UTC days, today included, and those that it lists. */
export interface ActivityTypes {
  from: string;
  to: string;
  environment: Environment;
  product: string;
  items: ActivityTypeUses[];
}

/** Uses of an activity type. `label` is null, and `level` `unclassified`, for one that the product does not list.

Such a one of more than 32 bytes goes by its hash, behind `~`. */
export interface ActivityUses {
  activity_type: string;
  label: string | null;
  level: "primary" | "secondary" | "unclassified";
  uses: number;
}

/** An API key. `name` and `last4` are null for a key that is not known any more. */
export interface ApiKeyName {
  id: string;
  name: string | null;
  last4: string | null;
}

/** An application that reports can be asked of. `registered` is false if it only had records. */
export interface ApplicationItem {
  application: string;
  name: string;
  registered: boolean;
}

/** The applications that have reports. */
export interface Applications {
  environment: string;
  closed_through: string | null;
  items: ApplicationItem[];
}

/** What is known of who is behind a use. */
export type AttributionKind = "company" | "network" | "none";

/** What told it. */
export type AttributionSource = "domain" | "address";

/** Who changed what, when, from where; `before` and `after` hold the fields that differ. */
export interface AuditEntry {
  id: string;
  at: string;
  key_id: string;
  key_name: string;
  environment: Environment | null;
  action: string;
  entity: string;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
  source_ip: string;
  user_agent: string;
  request_id: string;
}

/** Some entries. */
export interface AuditEntryPage {
  items: AuditEntry[];
}

/** The window that the window is compared with: as long, and ending where it begins.

Of `today` it is the same hours of yesterday; of `this_month` the same days of the month before, as far as it has
them; of `last_month` the whole month before. Fields are those of the window. */
export interface Before {
  from: string;
  to: string;
  users_window: Window;
  recent_activity: number;
  range_flagged: number;
  range_clean: number;
  unique_users: number;
  unique_devices: number;
  unique_users_days: number;
  trend: TrendBucket[];
  active_users: ActiveUsersOfDay[];
}

/** A body that is not. */
export interface BinaryBody {
  base64: string;
}

/** A day that was closed, and when. */
export interface ClosedDay {
  day: string;
  closed_at: string;
}

/** A company, and a page of the developers who ever were with it. */
export interface CompanyDetail {
  environment: Environment;
  product: string;
  /** False for a product whose developers and companies are not listed, and for one that is not registered. */
  profiles: boolean;
  /** The last closed day, with which all numbers end; null before the first. */
  closed_day: string | null;
  closed_at: string | null;
  /** How days were attributed: 0 when they were closed, more each time that it was done anew. */
  view: number | null;
  /** The SHA-256 of the network file that days were attributed with; null if there was none. */
  network_file: string | null;
  /** What is missing because there was no network file. */
  missing: string | null;
  company: ProfileCompany;
  first_day: string;
  /** Of a company that is in no list, of the developers of this page. */
  last_day: string;
  active_today: boolean;
  /** Who were active in the last 30 days; null for a company that is in no list. */
  developers: number | null;
  /** Who were active in the 30 days before these. */
  developers_before: number | null;
  /** As in lists; null for a company that is in none. */
  activity: ProfileActivity | null;
  countries: string[];
  /** Uses that nobody did by name, as sums that the vendor's servers send. */
  anonymous: UseAtCompany | null;
  items: UseAtCompany[];
  /** The `cursor` of the next page; null at the end. */
  next: string | null;
}

/** A company in a list. */
export interface CompanyItem {
  /** Its domain, or `~o:` and its name where no domain is known. */
  id: string;
  name: string;
  source: AttributionSource;
  /** 3: told by a domain; 2 and 1: by an address. */
  confidence: number;
  /** Who were active in the last 30 days; null for a company that came after the closed day. */
  developers: number | null;
  /** Who were active in the 30 days before these. */
  developers_before: number | null;
  /** Null for a company that came after the closed day. */
  activity: ProfileActivity | null;
  countries: string[];
  /** Whether it has been active on this UTC day; null where that is not looked up: with a filter, in an export. */
  active_today: boolean | null;
  new_today: boolean;
}

/** Some companies that use a product. A viewer gets totals alone. */
export interface CompanyList {
  environment: Environment;
  product: string;
  /** False for a product whose developers and companies are not listed, and for one that is not registered. */
  profiles: boolean;
  /** The last closed day, with which all numbers end; null before the first. */
  closed_day: string | null;
  closed_at: string | null;
  /** How days were attributed: 0 when they were closed, more each time that it was done anew. */
  view: number | null;
  /** The SHA-256 of the network file that days were attributed with; null if there was none. */
  network_file: string | null;
  /** What is missing because there was no network file. */
  missing: string | null;
  order: ProfileOrder;
  /** How many the list has at most: those beyond are only exported, or found by a filter. */
  listed: number | null;
  /** How many this list has; null for a viewer. */
  total: number | null;
  /** Null before the first closed day. */
  totals: ProfileTotals | null;
  /** The `cursor` of the next page; null at the end. It is good until the next day is closed. */
  next: string | null;
  items: CompanyItem[];
  /** Those that came after the closed day; on the first page only, and not counted in `total`. */
  new: CompanyItem[];
}

/** A customer. */
export interface Customer {
  id: string;
  name: string;
  email: string | null;
  created_at: string;
}

/** A customer, and the environment of the licence. */
export interface CustomerElsewhere {
  id: string;
  name: string | null;
  environment: Environment;
}

/** A customer. `name` is null for one that was imported and never registered. */
export interface CustomerName {
  id: string;
  name: string | null;
}

/** Some customers. */
export interface CustomerPage {
  items: Customer[];
}

/** Users day by day. */
export interface DailyReport {
  from: string;
  to: string;
  environment: string;
  application: string;
  closed_at: string | null;
  computed_at: string | null;
  digest: string | null;
  rows: DailyRow[];
  definition: Definition;
}

/** The users of a day, and of the windows that end with it. */
export interface DailyRow {
  closed_at: string | null;
  computed_at: string | null;
  digest: string | null;
  day: string;
  users: number;
  all_users: number;
  devices: number;
  users_7: number;
  users_30: number;
  users_90: number;
  users_365: number;
  records: number;
  flagged: number;
  clean: number;
}

/** What the numbers count, so that an answer explains itself. */
export interface Definition {
  window_start: string;
  /** Not included. */
  window_end: string;
  zone: string;
  clock: string;
  user: string;
  audiences: string[];
  /** Flags that keep a record from counting towards audience `users`. */
  excluding_flags: string[];
  /** What each number counts, by its name. */
  counts: Record<string, string>;
}

/** A developer of a product. */
export interface DeveloperDetail {
  environment: Environment;
  product: string;
  /** False for a product whose developers and companies are not listed, and for one that is not registered. */
  profiles: boolean;
  /** The last closed day, with which all numbers end; null before the first. */
  closed_day: string | null;
  closed_at: string | null;
  /** How days were attributed: 0 when they were closed, more each time that it was done anew. */
  view: number | null;
  /** The SHA-256 of the network file that days were attributed with; null if there was none. */
  network_file: string | null;
  /** What is missing because there was no network file. */
  missing: string | null;
  id: string;
  name: string | null;
  /** How the id was called: `EMAIL`, `GITHUB`, …; `device` for a device that no user is known of. */
  id_type: string | null;
  /** The developer asked to be forgotten: numbers stay, the name does not. */
  forgotten: boolean;
  first_day: string;
  active_today: boolean;
  /** As in lists; null for a developer that is in none. */
  company: ProfileCompany | null;
  /** The last active day told no company, an earlier one did. */
  carried: boolean;
  /** As in lists; null for a developer that is in none. */
  activity: ProfileActivity | null;
  /** By company, the latest first. */
  at: UseAtCompany[];
  links: ProfileLink[];
  /** Devices that more than three users were seen on: they link nobody. */
  shared_devices: number;
}

/** A developer in a list. */
export interface DeveloperItem {
  id: string;
  name: string | null;
  /** How the id was called: `EMAIL`, `GITHUB`, …; `device` for a device that no user is known of. */
  id_type: string | null;
  company: ProfileCompany | null;
  /** The last active day told no company, an earlier one did. */
  carried: boolean;
  /** Null for a developer that came after the closed day. */
  activity: ProfileActivity | null;
  /** Whether it has been active on this UTC day; null where that is not looked up: with a filter, in an export. */
  active_today: boolean | null;
  new_today: boolean;
}

/** Some developers who use a product. A viewer gets totals alone. */
export interface DeveloperList {
  environment: Environment;
  product: string;
  /** False for a product whose developers and companies are not listed, and for one that is not registered. */
  profiles: boolean;
  /** The last closed day, with which all numbers end; null before the first. */
  closed_day: string | null;
  closed_at: string | null;
  /** How days were attributed: 0 when they were closed, more each time that it was done anew. */
  view: number | null;
  /** The SHA-256 of the network file that days were attributed with; null if there was none. */
  network_file: string | null;
  /** What is missing because there was no network file. */
  missing: string | null;
  order: ProfileOrder;
  /** How many the list has at most: those beyond are only exported, or found by a filter. */
  listed: number | null;
  /** How many this list has; null for a viewer. */
  total: number | null;
  /** Null before the first closed day. */
  totals: ProfileTotals | null;
  /** The `cursor` of the next page; null at the end. It is good until the next day is closed. */
  next: string | null;
  items: DeveloperItem[];
  /** Those that came after the closed day; on the first page only, and not counted in `total`. */
  new: DeveloperItem[];
}

/** A developer. `name` is the id it sends, null where none is known any more. */
export interface DeveloperName {
  id: string;
  name: string | null;
  /** How the id was called: `EMAIL`, `GITHUB`, …; `device` for a device that no user is known of. */
  id_type: string | null;
}

/** What a device asks. */
export type DeviceAction = "verify" | "activate" | "deactivate";

/** Licences and customers with many devices. */
export interface DeviceExcess {
  /** Of what the numbers are: the whole UTC days that the window touches. */
  window: Window;
  /** False: for days that are not closed, only the newest flagged records were looked at. */
  exact: boolean;
  /** What the numbers count. */
  note: string;
  items: ExcessItem[];
}

/** An environment of the customer. An SDK key opens one, a staff key holds a set of them. */
export type Environment = "production" | "staging" | "development";

/** A licence or a customer with many devices on one UTC day. */
export interface ExcessItem {
  kind: "license" | "customer";
  license_id: string | null;
  customer_id: string | null;
  name: string;
  last4: string | null;
  devices: number;
  /** The activation limit; null: none. */
  limit: number | null;
  over: boolean;
}

/** Calls of one caller in an hour from which nothing was stored, or in which nothing could be read. */
export interface FailedCall {
  hour: string;
  /** Null for an unknown key. */
  environment: Environment | null;
  /** A FailedCallCause, or `~other`. */
  cause: string;
  last4: string | null;
  ip: string;
  calls: number;
}

/** Why nothing was stored of a call, or nothing could be read. */
export type FailedCallCause =
  | "bad_key"
  | "inactive_key"
  | "forbidden"
  | "address_not_allowed"
  | "malformed"
  | "unavailable"
  | "unknown_route"
  | "failed";

/** A finding on a record. `x-class` is what it is about: piracy and licence flags take a user off the bill. */
export type Flag =
  | "INVALID_LICENSE"
  | "ENVIRONMENT_MISMATCH"
  | "REVOKED_LICENSE"
  | "BYPASSED_ACTIVATION"
  | "EXPIRED_LICENSE"
  | "SUSPENDED_LICENSE"
  | "UNASSIGNED_LICENSE"
  | "PRODUCT_MISMATCH"
  | "MALFORMED"
  | "UNKNOWN_PRODUCT"
  | "UNKNOWN_ACTIVITY_TYPE"
  | "ENVIRONMENT_TEXT_CONFLICT"
  | "CLOCK_SKEW"
  | "EVENT_ID_CONFLICT"
  | "CLIENT_REPORTED"
  | "PLACEHOLDER_ID";

/** Records with a flag in the window, and in the one before it; null where there is no window before. */
export interface FlagCount {
  flag: Flag;
  records: number;
  before: number | null;
  change: number | null;
}

/** How many flagged records there were, and at most were to be expected; of which flags and which licence. */
export interface FlaggedEvidence {
  flagged: number;
  most_expected: number;
  flags?: Record<string, number>;
  license?: LicenseName;
}

/** What can be found, in the order in which it is told. */
export type HitKind =
  | "record"
  | "license"
  | "key"
  | "api_key"
  | "user"
  | "device"
  | "ip"
  | "product"
  | "customer"
  | "company"
  | "developer";

/** How many events came with an API key, and at most were to be expected. */
export interface KeyEvidence {
  events: number;
  most_expected: number;
  api_key: ApiKeyName;
}

/** A use of a product that its vendor tells from others. */
export interface KnownActivityType {
  key: string;
  label: string;
  level: ActivityLevel;
}

/** A body that does not fit into the answer: its size, and the path to get it from. */
export interface LargeBody {
  bytes: number;
  href: string;
}

/** The pair that was received last. */
export interface LatestPair {
  x: number;
  y: number;
  received_at: string;
}

/** A licence; `state` is its state now, so a licence after its end is expired. */
export interface License {
  id: string;
  environment: Environment;
  last_four: string;
  product_id: string | null;
  customer_id: string | null;
  state: LicenseState;
  expires_at: string | null;
  activation_limit: number;
  active_activations: number;
  created_at: string;
}

/** A licence, as far as it is known. */
export interface LicenseName {
  fingerprint: string;
  license_id: string | null;
  last4: string | null;
}

/** Some licences. */
export interface LicensePage {
  items: ListedLicense[];
}

/** The state of a licence. Revoked is final. */
export type LicenseState = "available" | "assigned" | "active" | "suspended" | "expired" | "revoked";

/** What was sent under a licence, or under all of a customer's, in a window; days without records are left out.

`devices` are the 50 that sent last, the newest first; `sent.devices` tells how many there are.
`exact` is false where there are too many records to look at: then of those with an event time only later ones than
`counted_from` are counted. */
export interface LicenseUseAnswer {
  from: string;
  to: string;
  environment: Environment;
  license_id: string | null;
  customer_id: string | null;
  exact: boolean;
  counted_from: string | null;
  note: string;
  sent: Sent;
  days: SentOnDay[];
  devices: SentByDevice[];
}

/** A licence and its key. */
export interface LicenseWithKey {
  id: string;
  environment: Environment;
  last_four: string;
  product_id: string | null;
  customer_id: string | null;
  state: LicenseState;
  expires_at: string | null;
  activation_limit: number;
  active_activations: number;
  created_at: string;
  license_key: string;
}

/** Licence calls by the code they were answered with. */
export interface LicensingCalls {
  action: DeviceAction;
  code: number;
  calls: number;
}

/** A licence as lists show it.

`customer_name` is null without a customer, and of one that nobody registered. `last_seen` is when the record with
the latest event time came in that was sent under the licence's product, or under none. */
export interface ListedLicense {
  id: string;
  environment: Environment;
  last_four: string;
  product_id: string | null;
  customer_id: string | null;
  state: LicenseState;
  expires_at: string | null;
  activation_limit: number;
  active_activations: number;
  created_at: string;
  customer_name: string | null;
  last_seen: string | null;
}

/** A licence key of another environment. `customer` is null unless the staff key opens that environment too. */
export interface Mismatch {
  fingerprint: string;
  last4: string | null;
  records: number;
  first_seen: string;
  last_seen: string;
  customer: CustomerElsewhere | null;
}

/** Licence keys of other environments. */
export interface Mismatches {
  /** Of what the numbers are: the whole UTC days that the window touches. */
  window: Window;
  /** False: for days that are not closed, only the newest flagged records were looked at. */
  exact: boolean;
  /** What the numbers count. */
  note: string;
  items: Mismatch[];
}

/** The users of a month, and the evidence of the day `through`. */
export interface MonthRow {
  closed_at: string | null;
  computed_at: string | null;
  digest: string | null;
  month: string;
  /** The last closed day of the month. */
  through: string;
  /** Whether that is its last day: then nothing of the row ever changes. */
  final: boolean;
  /** Distinct ones; `new`, `returning` and `back` together. */
  users: number;
  /** Not active in the eleven months before. */
  new: number;
  /** Active in the month before, too. */
  returning: number;
  /** Not active in the month before, but in one of the ten before that. */
  back: number;
  /** Active in the month before, and not in this one; null as long as it is not final. */
  lost: number | null;
  records: number;
  flagged: number;
}

/** Users month by month. */
export interface MonthsReport {
  from: string;
  to: string;
  environment: string;
  application: string;
  audience: string;
  closed_at: string | null;
  computed_at: string | null;
  digest: string | null;
  rows: MonthRow[];
  definition: Definition;
}

/** Whether addresses were looked up. */
export type NetworkFileUse = "used" | "none" | "unreadable";

/** Which licences to look at. */
export interface NotableLicenses {
  top: TopLicenses;
  devices: DeviceExcess;
  mismatches: Mismatches;
}

/** An hour or a UTC day. `stats` is null if no number came in it. */
export interface NumberBucket {
  start: string;
  closed: boolean;
  stats: NumberStats | null;
}

/** The numbers of a group: in all, over time, and by version, the most first. */
export interface NumberSeries {
  type: "numeric-single-value";
  total: NumberStats;
  buckets: NumberBucket[];
  versions: NumberVersion[];
}

/** Numbers summed up. All but the quantiles are exact; quantiles are by nearest rank. */
export interface NumberStats {
  values: number;
  min: number;
  mean: number;
  p50: number;
  p95: number;
  max: number;
  error: number;
}

/** The numbers of a product version. `~other` is all versions without a name here, `~unknown` is none. */
export interface NumberVersion {
  values: number;
  min: number;
  mean: number;
  p50: number;
  p95: number;
  max: number;
  error: number;
  version: string;
}

/** What happened in a window of time. */
export interface Overview {
  from: string;
  to: string;
  environment: Environment;
  /** Null: all products. */
  product: string | null;
  bucket: "hour" | "day";
  as_of: string;
  /** Of what the distinct users and devices are: the whole UTC days that the window touches. */
  users_window: Window;
  stats: OverviewStats;
  alerts: FlagCount[];
  trend: TrendBucket[];
  versions: VersionShare[];
  version_trend: VersionBucket[];
  active_users: ActiveUsersOfDay[];
  activations: Activations;
  activities: UsedActivity[];
  /** Null where the product was not there, or not counted, when that window began. */
  before: Before | null;
}

/** Numbers of all time (`total_…`, `flagged_…`, `clean_…`), and of the window. */
export interface OverviewStats {
  total_records: number;
  flagged_records: number;
  flagged_percent: number;
  clean_records: number;
  clean_percent: number;
  /** All records of the window. */
  recent_activity: number;
  range_flagged: number;
  range_clean: number;
  unique_users: number;
  unique_devices: number;
  /** The number of UTC days, at least partly in the window, over which users and devices are counted. */
  unique_users_days: number;
  /** Of product usage in the window: a record stands for one, or for as many as it sums up. Not records. */
  uses: number;
}

/** An hour or a UTC day. `stats` is null if no pair came in it. */
export interface PairBucket {
  start: string;
  closed: boolean;
  stats: PairStats | null;
}

/** The pairs of a group: in all, over time, and by version, the most first. */
export interface PairSeries {
  type: "numeric-xy-axis";
  total: PairStats;
  latest: LatestPair;
  buckets: PairBucket[];
  versions: PairVersion[];
}

/** Pairs of numbers summed up. */
export interface PairStats {
  values: number;
  x: Span;
  y: Span;
}

/** The pairs of a product version. `~other` is all versions without a name here, `~unknown` is none. */
export interface PairVersion {
  values: number;
  x: Span;
  y: Span;
  version: string;
}

/** A product. */
export interface Product {
  id: string;
  name: string;
  active: boolean;
  requires_license: boolean;
  versions: string[];
  activity_types: KnownActivityType[];
  /** Developers and companies are kept of the product's use; off: nothing is written for them */
  profiles: boolean;
}

/** A product that records can be of. `~unknown` stands for all products that are not registered. */
export interface ProductName {
  id: string;
  name: string;
}

/** Registered products by id, and `~unknown` if it ever had records. */
export interface ProductNames {
  items: ProductName[];
}

/** Some products. */
export interface ProductPage {
  items: Product[];
}

/** What somebody did up to the closed day. */
export interface ProfileActivity {
  first_day: string;
  last_day: string;
  /** Days with a use among the last 30. */
  active_days: number;
  /** Among the 30 before these. */
  active_days_before: number;
  /** Of the last 30 days in lists and exports; all there ever were where it is said who did what at which company. */
  uses: ProfileUses;
  /** All uses of each of 13 weeks from Monday to Sunday, oldest first; the last one goes up to the closed day. */
  weeks: number[];
}

/** A company, and what told that it is this one. */
export interface ProfileCompany {
  /** Its domain, or `~o:` and its name where no domain is known. */
  id: string;
  name: string;
  source: AttributionSource;
  /** 3: told by a domain; 2 and 1: by an address. */
  confidence: number;
}

/** Another developer that was seen on the same device. */
export interface ProfileLink {
  id: string;
  name: string | null;
  /** How the id was called: `EMAIL`, `GITHUB`, …; `device` for a device that no user is known of. */
  id_type: string | null;
  /** The fingerprint of that device, in base64url. */
  device: string;
  seen_on: string;
  /** Staff has said that it is not so. */
  undone: boolean;
}

/** How a list is sorted. `new` and `quiet` leave out whom they do not mean. */
export type ProfileOrder = "active" | "new" | "growing" | "quiet";

/** Of the 30 days that end with the closed day. */
export interface ProfileTotals {
  developers: number;
  companies: number;
  uses: ProfileUses;
  /** Uses that are no company's. */
  unattributed: ProfileUses;
}

/** Uses of a product, not records: a record may sum up many. Levels are those that the product is set to now. */
export interface ProfileUses {
  total: number;
  primary: number;
  secondary: number;
  /** Of activity types that the product does not list: `CALL_HOME`, which needs no listing, among them. */
  unclassified: number;
  /** The same by activity type, the most used first. */
  activities: ActivityUses[];
}

/** Who is behind a record, as it looks today: a company, or only a network, or nobody is known (`none`). */
export interface RecordCompany {
  kind: AttributionKind;
  /** Of a company its domain, or `~o:` and a name where no domain is known; of a network its number, as `AS64500`. */
  id: string | null;
  name: string | null;
  source: AttributionSource | null;
  /** Of a company from 3, told by a domain, to 1, told by an address of which little is known; 0 where it is none. */
  confidence: number;
  /** Of the address, whoever is behind it. */
  country: string | null;
  network_file: NetworkFileUse;
}

/** What the record was judged by. */
export interface RecordContext {
  evidence: Record<string, string>;
  rules_version: number | null;
  metadata: unknown;
}

/** A record with all details. */
export interface RecordDetail {
  id: string;
  received_at: string;
  event_at: string | null;
  product: string;
  version: string | null;
  user: string | null;
  hwid: string | null;
  /** The caller's address. */
  ip: string;
  /** The address that the event is about, if it is another one. */
  event_ip: string | null;
  country: string | null;
  dialect: "getkeymanager" | "reo";
  group: string | null;
  license: RecordLicense | null;
  customer: CustomerName | null;
  flags: Flag[];
  data_type: string | null;
  api_key_id: string;
  /** The part of the record that cannot be read. */
  damage: string | null;
  /** Its user or device is forgotten: it shows neither, nor its body. */
  forgotten: boolean;
  /** Null for a body that cannot be read, and of a record that names somebody who is forgotten. */
  raw: TextBody | BinaryBody | LargeBody | null;
  /** The flags of a first judgement that came after the record was stored. */
  flags_judged_later: Flag[] | null;
  message: string | null;
  context: RecordContext;
  /** The event as it was read; null where the body is too large for an answer, or is not shown. */
  payload: unknown;
  api_key: ApiKeyName;
  company: RecordCompany;
  expires_at: string;
}

/** The licence of a record, as the registry has it today. */
export interface RecordLicense {
  id: string;
  last4: string;
  state: LicenseState;
}

/** Some records, newest first. */
export interface RecordPage {
  items: RecordRow[];
  /** The `cursor` of the next page; null at the end. */
  next: string | null;
}

/** A record in a list. Texts of clients are cut at 256 characters. */
export interface RecordRow {
  id: string;
  received_at: string;
  event_at: string | null;
  product: string;
  version: string | null;
  user: string | null;
  hwid: string | null;
  /** The caller's address. */
  ip: string;
  /** The address that the event is about, if it is another one. */
  event_ip: string | null;
  country: string | null;
  dialect: "getkeymanager" | "reo";
  group: string | null;
  license: RecordLicense | null;
  customer: CustomerName | null;
  flags: Flag[];
  data_type: string | null;
  api_key_id: string;
  /** The part of the record that cannot be read. */
  damage: string | null;
  /** Its user or device is forgotten: it shows neither, nor its body. */
  forgotten: boolean;
}

/** What a staff key may do. Each role includes the ones before it. */
export type Role = "viewer" | "admin" | "super_admin";

/** Something that was found. A licence key is in none of its fields. */
export interface SearchHit {
  kind: HitKind;
  id: string;
  title: string;
  note: string | null;
  environment: Environment;
  product: string | null;
}

/** What was found: kind by kind, each at most eight times, the surest first. */
export interface SearchResult {
  items: SearchHit[];
  more: HitKind[];
}

/** Records, and what they show: distinct devices, addresses of callers, and countries (20 at most). */
export interface Sent {
  records: number;
  flagged: number;
  flags: Record<string, number>;
  devices: number;
  ips: number;
  countries: string[];
  first_seen: string | null;
  last_seen: string | null;
}

/** The same of one device. `hwid` is what it calls itself; null where it is forgotten or cannot be read. */
export interface SentByDevice {
  hwid: string | null;
  records: number;
  flagged: number;
  flags: Record<string, number>;
  countries: string[];
  first_seen: string;
  last_seen: string;
}

/** The same of one UTC day of receipt. */
export interface SentOnDay {
  records: number;
  flagged: number;
  flags: Record<string, number>;
  devices: number;
  ips: number;
  countries: string[];
  first_seen: string | null;
  last_seen: string | null;
  day: string;
}

/** Who is signed in. `csrf` is what changes must send as X-CSRF-Token. */
export interface Session {
  name: string;
  role: Role;
  environments: Environment[];
  csrf: string;
}

/** The smallest and the largest number. */
export interface Span {
  min: number;
  max: number;
}

/** An episode of spikes. `opened_at` and `last_seen` are the beginnings of hours. */
export interface Spike {
  /** What the admin API calls it by. */
  id: string;
  /** Null for a spike of an API key: its events may be of any product. */
  product: string | null;
  opened_at: string;
  last_seen: string;
  closed_at: string | null;
  cause: SpikeCause;
  /** What opened it. */
  evidence: FlaggedEvidence | KeyEvidence;
  /** Null of one of which nothing is left, and beyond the first 20 of an answer. */
  so_far: SpikeSoFar | null;
  acknowledged: SpikeSaid | null;
  /** Null also where its time is over, or the episode has ended. */
  muted: SpikeMuted | null;
}

/** What opened an episode of spikes. */
export type SpikeCause = "flagged_in_an_hour" | "flagged_with_a_license" | "events_of_a_key";

/** A licence of an episode, and what flags point at it with: records, and distinct devices. */
export interface SpikeLicense {
  fingerprint: string;
  license_id: string | null;
  last4: string | null;
  customer: CustomerName | null;
  state: LicenseState | null;
  /** The activation limit; null: none. */
  limit: number | null;
  flagged: number;
  devices: number;
  /** There may be more devices: of a licence, a day tells about a thousand apart. */
  devices_at_least: boolean;
}

/** For how long it is muted; null: until it ends. */
export interface SpikeMuted {
  key_id: string;
  key_name: string;
  at: string;
  until: string | null;
}

/** Which staff key said something of an episode, and when. */
export interface SpikeSaid {
  key_id: string;
  key_name: string;
  at: string;
}

/** What an episode has come to over whole UTC days: from the one on which it began to today, or to its last spike.

Of a longer one, over the last 31 days. */
export interface SpikeSoFar {
  first_day: string;
  last_day: string;
  days: number;
  /** Records with a piracy or licence flag; of an API key all its events. */
  records: number;
  /** Up to ten that had 50 flagged records in a day, the most flagged first. */
  licenses: SpikeLicense[];
}

/** Episodes of spikes, the latest first. */
export interface Spikes {
  items: Spike[];
}

/** Failed calls, what staff did, exports, closed days; the newest first. */
export interface SystemLogs {
  failed_calls: FailedCall[];
  staff_actions: AuditEntry[];
  exports: AuditEntry[];
  closings: ClosedDay[];
  /** The names of the lists of which there is more than is shown. */
  cut: string[];
}

/** A body that is UTF-8. */
export interface TextBody {
  text: string;
}

/** An hour or a UTC day, and how many texts came in it. */
export interface TextBucket {
  start: string;
  closed: boolean;
  values: number;
}

/** How often a text came, at least: more may be in `~other`. One of over 64 bytes ends in a hash. */
export interface TextCount {
  text: string;
  values: number;
}

/** The texts of a group: the most frequent, the rest as `~other`; over time, and by version, the most first. */
export interface TextSeries {
  type: "text";
  values: number;
  texts: TextCount[] | null;
  buckets: TextBucket[];
  versions: TextVersion[];
}

/** How many texts came from a product version. `~other` is all versions without a name here, `~unknown` is none. */
export interface TextVersion {
  version: string;
  values: number;
}

/** A licence with flagged records. Devices and addresses are the highest number of one UTC day. */
export interface TopLicense {
  /** Null: the key was never issued, or no record with it is left. */
  license_id: string | null;
  fingerprint: string;
  last4: string | null;
  customer: CustomerName | null;
  product: string;
  state: LicenseState | null;
  records: number;
  flagged: number;
  flags: Record<string, number>;
  devices: number;
  ips: number;
  countries: string[];
  first_seen: string;
  last_seen: string;
}

/** The licences with the most flagged records. */
export interface TopLicenses {
  /** Of what the numbers are: the whole UTC days that the window touches. */
  window: Window;
  /** False: for days that are not closed, only the newest flagged records were looked at. */
  exact: boolean;
  /** What the numbers count. */
  note: string;
  items: TopLicense[];
}

/** The records of an hour or a UTC day. `closed`: the numbers are final. */
export interface TrendBucket {
  start: string;
  clean: number;
  flagged: number;
  closed: boolean;
}

/** What one developer did at one company, or what nobody did by name (`developer` is null). */
export interface UseAtCompany {
  developer: DeveloperName | null;
  /** The developer asked to be forgotten: numbers stay, the name does not. */
  forgotten: boolean;
  /** Null for uses that are no company's. */
  company: ProfileCompany | null;
  activity: ProfileActivity;
  /** All there ever were. */
  uses: ProfileUses;
  versions: string[];
  countries: string[];
}

/** The uses of an activity type in the window. `~other` is all types without a name here, `~unknown` is none. */
export interface UsedActivity {
  activity_type: string;
  label: string | null;
  /** As the product has them; null where it does not list the type, and where no product is asked for. */
  level: ActivityLevel | null;
  uses: number;
  first_seen: string;
  /** The beginning of the first and the last hour or UTC day of the window in which there were any. */
  last_seen: string;
}

/** What the values of a UTC day are worth. */
export interface ValueDay {
  day: string;
  closed: boolean;
  records: number;
  unread: number;
  missing: number | null;
  complete: boolean | null;
  digest: string | null;
}

/** A group with values in the window; one with values of two types is two. `~other` is what has no name here. */
export interface ValueGroup {
  group: string;
  type: ValueType;
  values: number;
  versions: number;
  last_seen: string;
}

/** What values are, in GetKeyManager's words; the value is the `data_type` of their events. */
export type ValueType = "numeric-single-value" | "numeric-xy-axis" | "text";

/** The values of a product's telemetry in a window. */
export interface Values {
  from: string;
  to: string;
  environment: Environment;
  product: string;
  bucket: "hour" | "day";
  as_of: string;
  groups: ValueGroup[];
  group: string | null;
  version: string | null;
  series: (NumberSeries | PairSeries | TextSeries)[];
  days: ValueDay[];
}

/** The records of an hour or a UTC day, by version. */
export interface VersionBucket {
  start: string;
  versions: Record<string, number>;
}

/** The records of a product version. `~other` is all versions without a name here, `~unknown` is none. */
export interface VersionShare {
  version: string;
  records: number;
  percent: number;
}

export interface Window {
  from: string;
  to: string;
}

export const ENVIRONMENTS = ["production", "staging", "development"] as const;

export const CAUSES = [
  "bad_key",
  "inactive_key",
  "forbidden",
  "address_not_allowed",
  "malformed",
  "unavailable",
  "unknown_route",
  "failed",
] as const;

/** What the time ranges that end now are called. */
export const RANGES: ReadonlyMap<string, string> = new Map([
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["today", "today"],
  ["yesterday", "yesterday"],
  ["this_month", "this month"],
  ["last_month", "last month"],
]);

export type FlagClass = "piracy" | "license" | "quality";

/** What each flag is called, and its class. */
export const FLAG_NAMES: ReadonlyMap<string, readonly [string, FlagClass]> = new Map([
  ["INVALID_LICENSE", ["Invalid licence", "piracy"]],
  ["ENVIRONMENT_MISMATCH", ["Environment mismatch", "piracy"]],
  ["REVOKED_LICENSE", ["Revoked licence", "piracy"]],
  ["BYPASSED_ACTIVATION", ["Bypassed activation", "piracy"]],
  ["EXPIRED_LICENSE", ["Expired licence", "license"]],
  ["SUSPENDED_LICENSE", ["Suspended licence", "license"]],
  ["UNASSIGNED_LICENSE", ["Unassigned licence", "license"]],
  ["PRODUCT_MISMATCH", ["Product mismatch", "license"]],
  ["MALFORMED", ["Malformed", "quality"]],
  ["UNKNOWN_PRODUCT", ["Unknown product", "quality"]],
  ["UNKNOWN_ACTIVITY_TYPE", ["Unknown activity type", "quality"]],
  ["ENVIRONMENT_TEXT_CONFLICT", ["Environment text conflict", "quality"]],
  ["CLOCK_SKEW", ["Clock skew", "quality"]],
  ["EVENT_ID_CONFLICT", ["Event id conflict", "quality"]],
  ["CLIENT_REPORTED", ["Client reported", "quality"]],
  ["PLACEHOLDER_ID", ["Placeholder id", "quality"]],
]);
