// What the API answers. Instants are ISO-8601 in UTC.
//
// The keys of a `Record` are text that somebody else chose, `__proto__` and `constructor` among it: they are read by
// `Object.entries`, never by name.

export type Environment = "production" | "staging" | "development";
export type Role = "viewer" | "admin" | "super_admin";

export interface Session {
  name: string;
  role: Role;
  environments: Environment[];
  csrf: string;
}

export interface Product {
  id: string;
  name: string;
}

export interface Overview {
  environment: Environment;
  product: string | null;
  from: string;
  to: string;
  bucket: "hour" | "day";
  as_of: string;
  stats: {
    total_records: number;
    flagged_records: number;
    flagged_percent: number;
    clean_records: number;
    clean_percent: number;
    recent_activity: number;
    range_flagged: number;
    range_clean: number;
    unique_users: number;
    unique_devices: number;
    /** The number of UTC days, at least partly in the range, over which users and devices are counted. */
    unique_users_days?: number;
  };
  alerts: { flag: string; records: number; before: number; change: number }[];
  trend: { start: string; clean: number; flagged: number; closed: boolean }[];
  versions: { version: string; records: number; percent: number }[];
  version_trend: { start: string; versions: Record<string, number> }[];
  active_users: {
    day: string;
    users: number;
    devices: number;
    users_7: number;
    users_30: number;
    closed: boolean;
  }[];
  activations: {
    granted: number;
    blocked: number;
    codes: { action: "verify" | "activate" | "deactivate"; code: number; calls: number }[];
  };
}

export interface Customer {
  id: string;
  /** Null for a customer that was imported and never registered. */
  name: string | null;
}

export type LicenseState = "available" | "assigned" | "active" | "suspended" | "expired" | "revoked";

export interface TopLicense {
  license_id: string | null;
  fingerprint: string;
  last4: string | null;
  customer: Customer | null;
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

export interface TopLicenses {
  items: TopLicense[];
  exact: boolean;
  note: string | null;
}

export interface DeviceExcess {
  items: {
    kind: "license" | "customer";
    license_id: string | null;
    customer_id: string | null;
    name: string;
    last4: string | null;
    devices: number;
    limit: number | null;
    over: boolean;
  }[];
  note: string | null;
}

export interface Mismatches {
  items: {
    fingerprint: string;
    last4: string | null;
    records: number;
    first_seen: string;
    last_seen: string;
    customer: (Customer & { environment: Environment }) | null;
  }[];
  note?: string | null;
}

export interface ApiKey {
  id: string;
  /** Null for a key that is no longer known. */
  name: string | null;
  last4: string | null;
}

export interface Spikes {
  items: {
    id: string;
    /** Null for a spike of an API key: its events may be of any product. */
    product: string | null;
    opened_at: string;
    last_seen: string;
    closed_at: string | null;
    cause: string;
    evidence: {
      flagged?: number;
      most_expected?: number;
      flags?: Record<string, number>;
      license?: { fingerprint: string; license_id: string | null; last4: string | null };
      events?: number;
      api_key?: ApiKey;
    };
  }[];
}

export interface RecordRow {
  id: string;
  received_at: string;
  event_at: string | null;
  product: string;
  version: string | null;
  user: string | null;
  hwid: string | null;
  ip: string;
  country: string | null;
  dialect: string;
  group: string | null;
  license: { id: string; last4: string; state: LicenseState } | null;
  customer: Customer | null;
  flags: string[];
  data_type: string | null;
  api_key_id: string;
  /** The part of the record that cannot be read. */
  damage: string | null;
}

export interface RecordPage {
  items: RecordRow[];
  next: string | null;
}

export interface RecordDetail extends RecordRow {
  flags_judged_later: string[] | null;
  message: string | null;
  context: { evidence: Record<string, string>; rules_version: string | number; metadata: unknown };
  payload: unknown;
  /** A body that is too large for an answer has an `href`, and no `payload`. Null for a body that cannot be read. */
  raw: { text: string } | { base64: string } | { bytes: number; href: string } | null;
  api_key: ApiKey;
  expires_at: string;
}

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

export interface SystemLogs {
  failed_calls: {
    hour: string;
    /** Null for an unknown key. */
    environment?: Environment | null;
    cause: string;
    last4: string | null;
    ip: string;
    calls: number;
  }[];
  staff_actions: AuditEntry[];
  closings: { day: string; closed_at: string }[];
  exports: AuditEntry[];
  /** The names of the lists that are not complete. */
  cut?: string[];
}

export interface License {
  id: string;
  environment: Environment;
  last_four: string;
  product_id: string | null;
  customer_id: string | null;
  state: LicenseState;
}
