/**
 * A connection that sends prepared requests one after the other. Bare sockets: the client shares the two cores with
 * the service, so what it costs is taken from the figure.
 */
import { connect, type Socket } from "node:net";

export class Connection {
  private readonly socket: Socket;
  private received = "";
  private answered: ((status: number) => void) | null = null;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => this.receive(text));
  }

  /** Sends one request and resolves with the status of its answer. */
  send(request: Uint8Array): Promise<number> {
    return new Promise((resolve) => {
      this.answered = resolve;
      this.socket.write(request);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(text: string): void {
    this.received += text;
    const end = this.received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = /content-length: (\d+)/iu.exec(this.received.slice(0, end));
    if (length === null || this.received.length < end + 4 + Number(length[1])) return;
    const status = Number(this.received.slice(9, 12));
    this.received = "";
    const { answered } = this;
    this.answered = null;
    answered?.(status);
  }
}

/** A GET of a path. */
export function getRequest(key: string, path: string): Uint8Array {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n\r\n`);
}

/** A POST of JSON to the ingest route. */
export function eventsRequest(key: string, body: string): Uint8Array {
  const bytes = Buffer.from(body);
  const head = `POST /api/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}
