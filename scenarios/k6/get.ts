/** One GET of the service's front page for each iteration. */
import http from 'k6/http';

export default function (): void {
  http.get(`http://${__ENV.ENTRY}/`, { timeout: __ENV.TIMEOUT ?? '60s' });
}
