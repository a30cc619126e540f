// What staff say of a spike: that they have seen it, and for how long they want to see less of it.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change, Problem } from "../api/api";
import { Refresh, SignedOut } from "../api/live";
import { useView } from "../frame/view";
import { announce, Dialog, ProblemBox, Segments, Text, Time } from "../parts/ui";
import type { Spike } from "../types";

const TIMES = [
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["episode", "Until it ends"],
] as const;

type Period = (typeof TIMES)[number][0];
type Action = "acknowledge" | "mute" | "unmute";

/** Says it to the API, and loads everything again. */
function useSaying(id: string): {
  say: (action: Action, done: string, time?: Period) => Promise<boolean>;
  busy: boolean;
} & {
  problem: Problem | null;
} {
  const { environment } = useView();
  const refresh = useContext(Refresh);
  const signedOut = useContext(SignedOut);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const say = async (action: Action, done: string, time?: Period): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      const path = `/api/v1/admin/spikes/${encodeURIComponent(id)}/${action}?environment=${environment}`;
      await change("POST", path, time ? { body: { time } } : {});
      announce(done);
      refresh();
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) signedOut();
      else setProblem(error instanceof Problem ? error : new Problem(0, "Failed", String(error)));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { say, busy, problem };
}

/** The buttons, each where it makes sense. */
export function SpikeActions({ spike, about }: { spike: Spike; about: string }): JSX.Element {
  const { say, busy, problem } = useSaying(spike.id);
  const [muting, setMuting] = useState(false);
  return (
    <>
      {spike.acknowledged === null && (
        <button
          type="button"
          class="button small"
          disabled={busy}
          aria-label={`Acknowledge: ${about}`}
          onClick={() => say("acknowledge", "Acknowledged")}
        >
          Acknowledge
        </button>
      )}
      {spike.closed_at === null && spike.muted === null && (
        <button type="button" class="button small" aria-label={`Mute: ${about}`} onClick={() => setMuting(true)}>
          Mute
        </button>
      )}
      {spike.muted && (
        <button
          type="button"
          class="button small"
          disabled={busy}
          aria-label={`Unmute: ${about}`}
          onClick={() => say("unmute", "Shown again")}
        >
          Unmute
        </button>
      )}
      {problem && <ProblemBox problem={problem} />}
      {muting && <Muting id={spike.id} about={about} onClose={() => setMuting(false)} />}
    </>
  );
}

function Muting({ id, about, onClose }: { id: string; about: string; onClose: () => void }): JSX.Element {
  const { say, busy, problem } = useSaying(id);
  const [time, setTime] = useState<Period>("24h");
  const mute = async (): Promise<void> => {
    if (await say("mute", "Muted", time)) onClose();
  };
  return (
    <Dialog title="Mute this spike?" class="confirmation" onClose={onClose}>
      <p class="breaks">{about}</p>
      <Segments label="For how long" options={TIMES} value={time} onChange={setTime} />
      <p>It goes on being counted, and another spike of the same product is told as usual.</p>
      {problem && <ProblemBox problem={problem} />}
      <div class="buttons">
        <button type="button" class="button" onClick={(event) => event.currentTarget.closest("dialog")?.close()}>
          Cancel
        </button>
        <button type="button" class="button primary" disabled={busy} onClick={mute}>
          {busy ? "Working…" : "Mute spike"}
        </button>
      </div>
    </Dialog>
  );
}

/** Who said what of it, and when. */
export function SaidOf({ spike: { acknowledged, muted } }: { spike: Spike }): JSX.Element | null {
  if (muted) {
    return (
      <>
        Muted by <Text>{muted.key_name}</Text> at <Time at={muted.at} />
        {muted.until ? (
          <>
            {" "}
            until <Time at={muted.until} />
          </>
        ) : (
          " until it ends"
        )}
      </>
    );
  }
  return (
    acknowledged && (
      <>
        Acknowledged by <Text>{acknowledged.key_name}</Text> at <Time at={acknowledged.at} />
      </>
    )
  );
}
