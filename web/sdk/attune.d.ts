/** What a visitor allows to be remembered: everything, only as part of the crowd, nothing. */
export type Consent = "full" | "cohort" | "none";

/** What a visitor can do with an item. */
export type Action = "view" | "click" | "cart" | "purchase" | "dismiss";

/** Rungs of the degradation ladder, best first. */
export type Degradation = "full" | "stale" | "cohort" | "popular" | "static";

/** Why an item stands where it stands. */
export type Why = "session" | "for_you" | "together" | "trending" | "new" | "explore";

export type Device = "desktop" | "mobile" | "tablet" | "unknown";

/** What is known of a page view before choosing. The edge adds the region. */
export interface Context {
  device: Device;
  /** The visitor's local hour, 0 to 23. */
  local_hour: number;
  /** The category through which the visitor came in. */
  entry_category?: string;
}

/** An interaction as the session remembers it. */
export interface RecentInteraction {
  item_id: string;
  action: Action;
  /** Milliseconds since 1970-01-01 UTC. */
  occurred_at_ms: number;
}

/** One position of a slate. Texts and addresses are empty strings where there is none. */
export interface SlateItem {
  item_id: string;
  /** The slate the item came with; set by this SDK so that `track(action, item)` is enough. */
  slate_id: string;
  /** The surface the slate was asked for; set by this SDK. */
  surface: string;
  /** Place in the slate, from 0. */
  position: number;
  /** What the policy ordered by. */
  score: number;
  /** The scorer's probability, before exploration. */
  base_score: number;
  /** Probability with which this item was chosen for this position, given those above it. */
  propensity: number;
  explored: boolean;
  why: Why;
  /** The recent item that this one stands here for, when `why` is "session". */
  because: string | null;
  title: string;
  category: string;
  image_url: string;
  clip_url: string;
  item_url: string;
  price: number | null;
}

/** One entry of a `Server-Timing` header. */
export interface Timing {
  name: string;
  duration_ms: number;
  description: string;
}

/** The ordered items of one response, and what they were made with. */
export interface Slate {
  schema: number;
  slate_id: string;
  surface: string;
  /** The consent in force when the slate was chosen. */
  consent: Consent;
  items: SlateItem[];
  degraded: Degradation;
  versions: { bundle: string; policy: number; model: string };
  epsilon: number;
  exploration_rate: number;
  /** How far this session has moved the user's embedding: cosine distance, 0 to 2. */
  session_shift: number;
  seed: number;
  /** Measured here, from asking to the parsed answer. */
  round_trip_ms: number;
  /** The answer's `Server-Timing`, empty where it carried none. */
  timings: Timing[];
}

export interface AttuneOptions {
  /** Where the edge is; "" (the default) is the page's own origin. */
  endpoint?: string;
  /** The surface of requests and events that name none. Default "home". */
  surface?: string;
  /**
   * The consent of a visitor who has stated none yet. Default "none". A consent stated earlier
   * with `setConsent` ("full" or "cohort") is remembered and wins; "none" is remembered by
   * nothing being stored, so a page whose default is another must itself carry that choice.
   */
  consent?: Consent;
  /** How long `recommendations` may take, in milliseconds. Default 2000. */
  timeoutMs?: number;
  /** The category through which the visitor came in, part of every context. */
  entryCategory?: string;
  /**
   * A token in which your backend names a visitor who has logged in, or a function that returns one;
   * used under full consent. Without it, the edge's cookie tells who asks.
   */
  token?: string | (() => string | null | Promise<string | null>);
}

export interface RecommendationsOptions {
  surface?: string;
  /** How many items, 1 to 50. Default 12. */
  n?: number;
  /** Items that must not be in the slate; the last 200 are sent. */
  exclude?: string[];
  /** Items of the list's earlier pages: the slate continues them without repeating one. */
  after?: string[];
  /** Keeps to items of these categories. */
  categories?: string[];
  entryCategory?: string;
  /** Gives the request up early. */
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** What `track` needs of an item: an id alone, or a slate's item, which also rewards the policy. */
export type Trackable =
  | string
  | {
      item_id: string;
      slate_id?: string;
      position?: number;
      propensity?: number;
      surface?: string;
    };

export interface AttuneEventMap {
  /** The consent in force changed, here or in another tab. */
  consent: CustomEvent<{ consent: Consent; stated: Consent }>;
  /** The edge acknowledged these events; `answer` is its parsed body. */
  delivered: CustomEvent<{ events: { event_id: string; type: string }[]; answer: unknown }>;
  /** A batch was not acknowledged; the next try, with the same ids, is in `wait_ms`. */
  retry: CustomEvent<{ wait_ms: number; failures: number }>;
  /** Events were given up: the edge refused them for good, or the queue was full. */
  dropped: CustomEvent<{ reason: "refused" | "full"; count: number; status?: number }>;
}

/** A request that got no usable answer. */
export class AttuneError extends Error {
  constructor(kind: AttuneError["kind"], message: string, status?: number);
  readonly name: "AttuneError";
  /** "timeout", "aborted": given up here; "network": no answer; "http": not the one asked for. */
  readonly kind: "timeout" | "aborted" | "network" | "http";
  /** The HTTP status, 0 where there was no answer. */
  readonly status: number;
}

/**
 * One page's connection to attune.
 *
 * @example
 * const attune = createAttune({ surface: "home" });
 * attune.setConsent("full");
 * const slate = await attune.recommendations({ n: 12 });
 * const stop = attune.observe(slate, document.querySelectorAll(".card"));
 * card.onclick = () => attune.track("click", slate.items[0]);
 */
export class Attune extends EventTarget {
  constructor(options?: AttuneOptions);

  /** The consent in force: what was stated, capped at "cohort" by Global Privacy Control. */
  readonly consent: Consent;
  /** The session id; a new one after 30 minutes without a request or event. */
  readonly sessionId: string;
  /** The session's last 20 interactions, oldest first. */
  readonly recent: RecentInteraction[];
  /** How many events wait for the edge's acknowledgement. */
  readonly pending: number;

  /**
   * State what the visitor allows. Lowering it erases at once what is no longer allowed: the edge's
   * cookie and the session id below "full", everything (unsent events included) at "none".
   */
  setConsent(consent: Consent): void;

  /** Become a new visitor: erase identity, session and queue; keep the consent. */
  reset(): void;

  /** What the edge is told about this page view. */
  context(entryCategory?: string): Context;

  /** Ask for a slate. Rejects with an `AttuneError` when none came in time. */
  recommendations(options?: RecommendationsOptions): Promise<Slate>;

  /**
   * Report which items of a slate were seen: at least half visible for half a second. One
   * impression event per slate, sent when all were seen, when the returned function is called,
   * when the page is hidden, or 15 seconds after the first was seen.
   *
   * @param elements the elements of `slate.items`, in the same order.
   */
  observe(slate: Slate, elements: Iterable<Element>): () => void;

  /**
   * Tell what the visitor did with an item. It joins the session's memory at once and is sent
   * without waiting for more.
   *
   * @returns the event's id, or null when consent is "none" and nothing was noted.
   */
  track(action: Action, item: Trackable, options?: { surface?: string }): string | null;

  /** Send what is queued now; resolves when the queue is empty or a retry is scheduled. */
  flush(): Promise<void>;

  /** End all watches, hand what is queued to the browser, stop listening. */
  close(): void;

  addEventListener<Type extends keyof AttuneEventMap>(
    type: Type,
    listener: (event: AttuneEventMap[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** Return a client for one page. */
export function createAttune(options?: AttuneOptions): Attune;

/** Return the entries of a `Server-Timing` header. */
export function readServerTiming(header: string | null): Timing[];
