// Package relay puts a SparkPost relay into a PMTA configuration, moves the share of a pool that goes through it, and takes it out
// again.
//
// [Inspect] finds the streams: which source sends through which pool or VMTA, and who its members are. [AddAccount] and [AddVMTA]
// write what a relay needs, [AddPool] gives a stream without a pool one, [SetMembers] sets the lines of a pool, [Remove] restores
// what was there. All work on a *pmtaconf.Config in memory: look at Config.Diff before Config.Save, and keep an [Archive] of
// the files as they were.
//
// # Guarantees
//
//   - Doing the same thing twice changes nothing.
//   - Remove gives back the files as they were before, byte for byte, also after a save and a new load, also when other lines
//     were edited in between.
//   - No line that was there is deleted or changed in place. A line that must not count is commented out behind "#relayshift#",
//     an added line ends in "# relayshift", added scopes stand between comments "# relayshift: begin" and "# relayshift: end". Those marks
//     are all that the package goes by.
//   - SetMembers changes the fewest lines that lead to the wanted list; the pool's original list brings its bytes back.
//   - An operation that fails has changed nothing.
//   - The API key is in the key file alone: in no string, log, error or masked diff.
//
// # What a relay looks like
//
//	# relayshift: begin relay sparkpost-offers
//	<virtual-mta sparkpost-offers>
//	    <domain *>
//	        queue-to {sparkpost}
//	    </domain>
//	    <domain {sparkpost}>
//	        auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=1053
//	        use-starttls yes
//	        require-starttls yes
//	        dkim-sign no
//	    </domain>
//	</virtual-mta>
//	# relayshift: end relay sparkpost-offers
//
// The guide leaves open whether <domain *> of a VMTA beats a more specific <domain> at the top level or in a pool (3.3.10 and
// 3.3.13.2 speak for either). So every such domain that moves mail to another queue gets a <domain> of its own in the relay VMTA, and the
// settings that must hold on the relay are repeated there: it works under both readings.
package relay
